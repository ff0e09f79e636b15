"""What names give away in command lines, `.env` files and scripts is known; what only looks so is not."""

from __future__ import annotations

import pytest

from redaction_corpus import made
from runwatch.redact.announced import in_arguments, in_env_file, in_script

PLAIN = "plain" + "lettersonly"
HERE = {"USER": "somebody", "HOME": "/home/somebody"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("DB_PASSWORD={}", PLAIN),
        ("  export DB_PASSWORD = {}  # of the staging base", PLAIN),
        ("DB_PASSWORD='{}'", 'with space, " and #'),
        ('DB_PASSWORD="{}" # why', "with 'single' and #"),
        ("DB_PASSWORD=`{}`", "in\nlines with '\""),
        ('DB_PASSWORD="{}"', "of\nseveral lines"),
        ("DB_PASSWORD: {}", PLAIN),
        ("DB_PASSWORD={}\r", PLAIN),
        ("\n# one\nOTHER=1\nDB_PASSWORD={}\nLAST=2", PLAIN),
    ],
)
def test_the_values_of_an_env_file_are_known_as_its_readers_take_them(line: str, value: str) -> None:
    found = in_env_file(line.format(value), HERE)
    assert found[value] == "DB_PASSWORD"
    assert len(found) == (2 if "  #" in line else 1)


def test_where_readers_differ_all_that_one_of_them_takes_is_known() -> None:
    found = in_env_file(f'DB_PASSWORD="{PLAIN}\\nand \\"more\\""\nA_TOKEN={PLAIN}2 # not for Docker', HERE)
    assert set(found) >= {
        f'{PLAIN}\nand "more"',
        f'{PLAIN}\\nand \\"more\\"',
        f"{PLAIN}2",
        f"{PLAIN}2 # not for Docker",
    }
    assert in_env_file(f"URL=postgres://u:{PLAIN}@h/db", HERE) == {PLAIN: "URL"}


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=", "DB_PASSWORD=short", "DB_PASSWORD=changeme", "DB_PASSWORD=postgres", "DB_PASSWORD=somebody",
        "DB_PASSWORD=${OTHER_PASSWORD}", "DB_PASSWORD=<your password>", "DB_PASSWORD=/run/secrets/db",
        f"PASSWORD_FILE={PLAIN}", "MAX_TOKENS=4096000", f"# DB_PASSWORD={PLAIN}", f"GREETING={PLAIN}", "PORT=80801234",
    ],
)  # fmt: skip
def test_what_hides_nothing_in_an_env_file_is_left_alone(line: str) -> None:
    assert in_env_file(line, HERE) == {}


@pytest.mark.parametrize(
    "text",
    [
        "export DB_PASSWORD={}\n", "set -e\nDB_PASSWORD={}; export DB_PASSWORD\n", "DB_PASSWORD={} ./deploy.sh\n",
        "API_TOKEN='{}'\n", 'os.environ["X"] = 1\nAPI_TOKEN = "{}"\n', 'connect(user="u", password="{}")\n',
        "curl -H 'Authorization: Bearer {}' x\n", "PASSWORD={}", "API_KEY='{}'", 'signing_key = "{}"',
    ],
)  # fmt: skip
def test_what_a_script_gives_away_is_known(text: str) -> None:
    value = made(24)
    assert value in in_script(text.format(value), HERE)


@pytest.mark.parametrize(
    "text",
    [
        "connect(password=user_password)", "    token=fetched,", 'password = input("Enter your password: ")',
        'PASSWORD_LABEL = "Type your password here"', "DB_PASSWORD=$(cat secret.txt)", 'export DB_PASSWORD="$1"',
        "sort_key=timestamp", 'ACCESS_TOKEN = "access_token"', "for key in keys: total_key = key",
        'METADATA_KEY = "mypy-metadata-2"', 'localize(key="America/Los_Angeles")', 'ZONE_ID_PAT = "(?:%25|%)[0-9A-F]"',
        "USER_AUTH=1.3.6.1.5.5", 'row["%s_token" % key]', "password=credentials[1]", 'f"https://{user}:{password}@host"',
    ],
)  # fmt: skip
def test_names_and_sentences_of_a_program_are_no_secrets(text: str) -> None:
    assert in_script(text, HERE) == {}


def test_a_word_is_a_secret_where_a_shell_takes_it_for_one() -> None:
    for line in ("export DB_PASSWORD={}", "DB_PASSWORD='{}'", "SECRET_KEY={} cmd", "API_KEY={}"):
        assert "hidden-secret-7" in in_script(line.format("hidden-secret-7"), HERE), line


def test_what_a_command_line_announces_is_known_wherever_it_stands_later() -> None:
    command = [
        "env",
        f"DB_PASSWORD={PLAIN}",
        "tool",
        "--db-pass",
        "S3cretXyz12",
        "--pass=abc",
        "-v",
        "8",
        "--token",
        "1",
    ]
    assert in_arguments(command, HERE) == {PLAIN: "DB_PASSWORD", "S3cretXyz12": ""}
    assert PLAIN in in_arguments(["sh", "-c", f"export DB_PASSWORD={PLAIN}; exec tool"], HERE)
    assert PLAIN in in_arguments(["psql", f"postgres://u:{PLAIN}@h/db"], HERE)
    assert in_arguments(["tool", "--password", "postgres", "--token", "${TOKEN}", "--user", "somebody"], HERE) == {}
