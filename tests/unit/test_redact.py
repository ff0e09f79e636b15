"""Secrets are found in every shape they come in, and what only looks like one is left alone.

Every secret here is made up, and put together when the test runs: no file of this repository holds one.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import time
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction_corpus import (
    ANNOUNCED,
    ENVIRONMENT_LOOK_ALIKES,
    LOOK_ALIKES,
    MIXED,
    NOT_FOUND,
    SHAPES,
    WORD,
    WRITTEN,
    block,
    made,
    shapes,
)
from redaction_corpus import ENVIRONMENT as OF_A_RUN
from runwatch import redact
from runwatch.errors import SettingsError
from runwatch.redact import Digests, Redactor
from runwatch.redact.redactor import WITHHELD
from runwatch.timed_pattern import BUDGET_S


@pytest.fixture
def plain() -> Redactor:
    return Redactor({})


ENDS = [
    lambda secret: secret,
    lambda secret: f"failed with key {secret}, retrying",
    lambda secret: f'{{"a": "{secret}"}}',
]


@pytest.mark.parametrize("rule", SHAPES)
@pytest.mark.parametrize("around", ENDS, ids=["alone", "in a sentence", "in JSON"])
def test_a_secret_of_a_known_shape_is_taken_out_whole(plain: Redactor, rule: str, around: Callable[[str], str]) -> None:
    for secret in SHAPES[rule]:
        expected = around(f"[redacted:{rule}]")
        result = plain.text(around(secret))
        if rule in ("webhook", "azure-account-key"):  # what leads to the secret may stay
            assert result.endswith(expected[expected.index("[redacted") :])
            assert secret[-20:] not in result
        else:
            assert result == expected


def test_every_shape_of_one_issuer_is_tried() -> None:
    generic = {rule for rule, _, _ in ANNOUNCED}
    assert {rule.id for rule in redact.rules()} == set(SHAPES) | generic


@pytest.mark.parametrize(("rule", "template", "secret"), ANNOUNCED, ids=[case[1] for case in ANNOUNCED])
def test_a_secret_that_is_announced_is_taken_out_and_its_surroundings_stay(
    plain: Redactor, rule: str, template: str, secret: str
) -> None:
    assert plain.text(template.format(secret)) == template.format(f"[redacted:{rule}]")


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_only_looks_like_a_secret_stays_as_it_is(plain: Redactor, text: str) -> None:
    assert plain.text(text) == text


ENVIRONMENT = {
    "GITHUB_TOKEN": "plain" + "words" + "only",
    "DB_PASSWORD": "s3" + "cr3t!!",
    "MY_API_KEY": "abcdefgh" + "ijkl",
    "AWS_SECRET_ACCESS_KEY": made(40, MIXED + "+/"),
    "DATABASE_URL": "postgresql://app:" + "opensesame" + "-9@db/app",
    "SIGNING_KEY": "line-one-of-the-key" + "\n" + "line-two-of-the-key",
    "lowercase_secret": "quite" + "hidden",
}


@pytest.mark.parametrize("name", [name for name in ENVIRONMENT if name not in ("SIGNING_KEY", "DATABASE_URL")])
def test_the_value_of_a_variable_named_like_a_secret_is_taken_out_wherever_it_stands(name: str) -> None:
    assert Redactor(ENVIRONMENT).text(f"sent {ENVIRONMENT[name]} again") == f"sent [redacted:env:{name}] again"


def test_the_password_in_a_url_of_the_environment_is_taken_out_alone_too() -> None:
    assert Redactor(ENVIRONMENT).text("tried opensesame" + "-9 twice") == "tried [redacted:env:DATABASE_URL] twice"


def test_a_value_is_found_in_the_form_that_a_url_or_json_gives_it() -> None:
    redactor = Redactor({"APP_SECRET": 'a/b&c"d' + "\n" + "second line of it"})
    assert redactor.text("q=a%2Fb%26c%22d%0Asecond%20line%20of%20it&x") == "q=[redacted:env:APP_SECRET]&x"
    assert redactor.text(r'{"q": "a/b&c\"d\nsecond line of it"}') == '{"q": "[redacted:env:APP_SECRET]"}'


def test_each_long_line_of_a_value_with_several_is_taken_out_alone() -> None:
    assert Redactor(ENVIRONMENT).text("> line-two-of-the-key") == "> [redacted:env:SIGNING_KEY]"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PWD", "/srv/project"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-abc/agent.1"),
        ("TOKENIZERS_PARALLELISM", "falsefalse"),
        ("MAX_TOKENS", "409640960"),
        ("GIT_AUTHOR_NAME", "Ada Lovelace"),
        ("SECRET_NAME", "app-credentials"),
        ("TOKEN_URL", "https://example.com/oauth/token"),
        ("POSTGRES_PASSWORD", "postgres"),
        ("API_TOKEN", "short"),
        ("DEPLOY_PASSWORD", "--------"),
        ("SORT_KEY", "created_at"),
        ("BUILD_TOKEN", "20261121"),
        ("KEYBOARD_LAYOUT", "us-intl-2"),
        ("PYTHONPATH", "/srv/project/src"),
    ],
)
def test_a_value_that_hides_nothing_is_left_alone(name: str, value: str) -> None:
    assert Redactor({name: value}).text(f"it is {value} here") == f"it is {value} here"


def test_a_path_that_exists_is_no_secret_whatever_its_variable_is_called(tmp_path: object) -> None:
    assert redact.secret_values({"APP_SECRET": str(tmp_path)}) == {}
    assert redact.secret_values({"APP_SECRET": f"{tmp_path}-absent"}) != {}


def test_a_short_value_is_not_torn_out_of_a_longer_word() -> None:
    redactor = Redactor({"APP_PASSWORD": "rosebud1"})
    assert redactor.text("rosebud1 rosebud12 xrosebud1") == "[redacted:env:APP_PASSWORD] rosebud12 xrosebud1"


def test_of_two_values_the_longer_goes_first() -> None:
    redactor = Redactor({"A_TOKEN": "abcdefghijklmnop-1", "B_TOKEN": "abcdefghijklmnop-1-and-more"})
    assert redactor.text("x abcdefghijklmnop-1-and-more") == "x [redacted:env:B_TOKEN]"


def test_a_pattern_of_the_users_goes_whole_or_by_its_group() -> None:
    redactor = Redactor({}, [r"ACME-\d{4}", r"badge (?P<secret>\w+)"])
    assert redactor.text("ACME-1234, badge blue") == "[redacted:pattern], badge [redacted:pattern]"


def test_a_pattern_that_is_none_is_refused_with_its_text() -> None:
    with pytest.raises(SettingsError, match=re.escape('redact.patterns has "(", which is no regular expression')):
        Redactor({}, ["("])


def test_a_text_on_which_a_pattern_finds_no_end_is_withheld_and_the_pattern_named() -> None:
    redactor = Redactor({}, [r"ACME-\d{4}", r"(?:a|aa)+$"])
    hostile = "ACME-1234 " + 65536 * "a" + "b"
    began = time.process_time()
    assert {redactor.text(f"{number} {hostile}") for number in range(30)} == {WITHHELD}
    assert time.process_time() - began < 2 * (BUDGET_S + 30 * 0.02)
    assert redactor.slow_patterns == [2]
    assert redactor.text("ACME-1234, aa!") == "[redacted:pattern], aa!"


def test_thousands_of_different_texts_cost_a_slow_pattern_its_budget_and_little_more_and_none_gets_out() -> None:
    redactor = Redactor({}, [r"ACME-\d{4}", r"(?:a|aa)+$"])
    began = time.process_time()
    for number in range(3000):
        assert redactor.text(f"{number} ACME-1234 {40 * 'a'}b") == WITHHELD
    took_s = time.process_time() - began
    assert took_s < BUDGET_S + 3000 * 0.0003, "2 ms for each would be 6 s more"
    assert redactor.text("fine: ACME-1234") == "fine: [redacted:pattern]", "what it answers at once is published"


def test_no_text_keeps_the_known_rules_busy() -> None:
    redactor = Redactor({"A_TOKEN": "abcdefghijklmnop-1"})
    began = time.process_time()
    for piece in (
        "sk-",
        "curl -u a ",
        "mysql -a ",
        "docker x login x ",
        "zip -p ",
        "7z -p ",
        "://a-",
        "secret=",
        "password: ",
        "a0",
        "%41",
        "\n",
        "\\u0041",
    ):
        redactor.text((65536 // len(piece)) * piece)
    assert time.process_time() - began < 10


def test_a_key_block_that_was_cut_at_either_end_leaves_nothing_behind(plain: Redactor) -> None:
    lines = block("RSA PRIVATE KEY").split("\n")
    assert plain.lines(["before", *lines[:4]]) == ["before", "[redacted:private-key]"]
    assert plain.lines([*lines[3:], "after"]) == ["[redacted:private-key]", "after"]
    assert plain.lines(["before", *lines, "after"]) == ["before", "[redacted:private-key]", "after"]
    assert plain.lines([]) == []


def test_an_argument_is_taken_out_that_only_the_flag_before_it_announces(plain: Redactor) -> None:
    arguments = [
        "tool",
        "--password",
        "hunter",
        "--api-key",
        "abc",
        "--token",
        "--verbose",
        "--max-tokens",
        "4096",
        "file",
    ]
    assert plain.arguments(arguments) == [
        "tool",
        "--password",
        "[redacted:flag]",
        "--api-key",
        "[redacted:flag]",
        "--token",
        "--verbose",
        "--max-tokens",
        "4096",
        "file",
    ]
    assert plain.arguments(["curl", "https://a:" + WORD + "@example.com"]) == [
        "curl",
        "https://a:[redacted:url-password]@example.com",
    ]


def test_every_rule_names_its_source_and_can_be_reached_by_its_keywords() -> None:
    for rule in redact.rules():
        assert rule.source, rule.id
        assert rule.keywords, rule.id
        assert all(keyword == keyword.lower() for keyword in rule.keywords), rule.id
        re.compile(rule.regex, re.MULTILINE)


def test_every_rule_names_an_address_or_an_entry_of_a_rule_book() -> None:
    books = redact.rule_books()
    assert all(address.startswith("https://") for address in books.values())
    for rule in redact.rules():
        for source in rule.source.split("; "):
            assert source.startswith("https://") or source.partition(": ")[0] in books, (rule.id, source)


READINGS: dict[str, Callable[[str], str]] = {
    "JSON": lambda secret: json.dumps({"message": f"key {secret} was refused"}),
    "JSON in JSON": lambda secret: json.dumps({"line": json.dumps({"message": f"key {secret} was refused"})}),
    "JSON with every character escaped": lambda secret: '{"a": "' + "".join(f"\\u{ord(c):04x}" for c in secret) + '"}',
    "JSON with its first letters escaped": lambda secret: f'{{"a": "\\u{ord(secret[0]):04X}{secret[1:]}"}}',
    "a URL": lambda secret: f"https://example.com/q?k={quote(secret, safe='')}&page=2",
    "a URL in lower case": lambda secret: "q=" + "".join(f"%{ord(c):02x}" for c in secret) + "&page=2",
    "a shell's single quotes": lambda secret: f"echo {shlex.quote(secret)}",
    "a Python representation": lambda secret: repr({"a": secret}),
    "HTML": lambda secret: f"<td>{html.escape(secret)}</td>",
    "a log with colors": lambda secret: f"key \x1b[31m{secret[:5]}\x1b[0;1m{secret[5:]}\x1b[0m was refused",
    "base64": lambda secret: "sent " + base64.b64encode(f"user:{secret}".encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"key={secret} ".encode()).decode().rstrip("="),
    "Markdown": lambda secret: "| " + re.sub(r"([_*|])", r"\\\1", secret) + " |",
}


@pytest.mark.parametrize("reading", READINGS)
def test_a_secret_is_found_however_it_is_written(plain: Redactor, reading: str) -> None:
    for rule, values in shapes(seed=11).items():
        for secret in values:
            written = READINGS[reading](secret)
            result = plain.text(written)
            assert "[redacted:" in result, (rule, written)
            for part in (secret[-16:], written[len(written) // 2 - 8 : len(written) // 2 + 8]):
                assert part not in result, (rule, written, result)


@pytest.mark.parametrize("reading", READINGS)
def test_a_value_of_the_environment_is_found_however_it_is_written(reading: str) -> None:
    value = "Tr0ub" + "4dor&3 'n' \"more\"/über"
    result = Redactor({"APP_PASSWORD": value}).text(READINGS[reading](value))
    assert "[redacted:env:APP_PASSWORD]" in result
    assert "ub4dor" not in result


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_value_of_the_environment_is_found_in_every_form_in_which_it_is_no_word(name: str, form: str) -> None:
    written = WRITTEN[form](OF_A_RUN[name])
    for text in (f"sent {written} again", json.dumps({"sent": written})):
        result = Redactor(OF_A_RUN).text(text)
        expected = (name, form) in NOT_FOUND
        assert (result == text) is expected, (text, result)
        assert (f"[redacted:env:{name}]" in result) is not expected


@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_value_in_hexadecimal_digits_is_found_where_a_line_breaks_it(name: str) -> None:
    dump = b"alice says " + OF_A_RUN[name].encode() + b"\xff"
    for width in (32, 60):
        digits = dump.hex()
        text = "\n".join(digits[at : at + width] for at in range(0, len(digits), width))  # as xxd -p prints it
        left = Redactor(OF_A_RUN).text(text)
        assert f"[redacted:env:{name}]" in left
        assert OF_A_RUN[name].encode().hex()[-8:] not in left.replace("\n", "")


@pytest.mark.parametrize("text", [*ENVIRONMENT_LOOK_ALIKES, *LOOK_ALIKES])
def test_what_holds_no_value_of_the_environment_stays_as_it_is(text: str) -> None:
    assert Redactor(OF_A_RUN).text(text) == text


@pytest.mark.parametrize("form", ["in hex", "in hex, capitals", "in capitals", "in small letters"])
def test_whoever_finalizes_in_another_environment_finds_these_forms_too(form: str) -> None:
    value = OF_A_RUN["DB_PASSWORD"]
    digests = Digests.of(Redactor({"DB_PASSWORD": value}).known_forms)
    text = f"sent {WRITTEN[form](value)} again"
    assert Redactor({}, digests=[digests]).text(text) == "sent [redacted:env:DB_PASSWORD] again"


@pytest.mark.parametrize("kind", ["github-token", "aws-access-key"])
def test_a_known_shape_is_found_in_hexadecimal_digits(plain: Redactor, kind: str) -> None:
    for secret in SHAPES.get(kind, SHAPES["github-token"]):
        assert plain.text(f"dump: {secret.encode().hex()}") == f"dump: [redacted:{kind}]"


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "abcdefg:"])
def test_a_value_is_found_in_base64_wherever_it_begins(before: str) -> None:
    value = "horse-" + "battery"
    blob = base64.b64encode(f"{before}{value}\x00\xff".encode("latin-1")).decode()
    result = Redactor({"APP_PASSWORD": value}).text(f"x={blob}")
    assert "[redacted:env:APP_PASSWORD]" in result
    assert value.encode() not in base64.b64decode(re.sub(r"x=|\[.*?\]", "", result) + "====", validate=False)


@pytest.mark.parametrize("reading", [name for name in READINGS if name.startswith("JSON")])
def test_what_was_json_before_is_json_afterwards(plain: Redactor, reading: str) -> None:
    for values in SHAPES.values():
        for secret in values:
            json.loads(plain.text(READINGS[reading](secret)))


@given(st.text(max_size=200), st.sampled_from([secret for values in SHAPES.values() for secret in values]))
def test_the_result_is_text_that_any_file_takes(around: str, secret: str) -> None:
    surrogates = around.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    Redactor({"A_TOKEN": secret[::-1]}).text(f"{surrogates}%ff\\ud800{secret}\\x").encode()


def test_the_name_of_a_variable_that_is_no_utf_8_breaks_nothing() -> None:
    name, value = (
        b"\xff_TOKEN".decode("utf-8", "surrogateescape"),
        b"\xfe-secret-value".decode("utf-8", "surrogateescape"),
    )
    Redactor({name: value, "B_TOKEN": "quite" + "hidden"}).text("nothing, quite" + "hidden").encode()


def test_a_text_that_was_cut_before_loses_the_word_at_its_end(plain: Redactor) -> None:
    secret = SHAPES["github-token"][0]
    cut = ("word " * 200 + secret)[: 1000 + 5][-1000:]
    assert len(cut) == 1000
    shown = plain.tree({"message": cut})["message"]
    assert shown.endswith("word …")
    assert plain.tree("word " * 199 + "tail") == "word " * 199 + "tail"


def test_what_a_pattern_of_the_users_takes_goes_whole_with_operators_at_its_end() -> None:
    redactor = Redactor({}, [r"pin (?P<secret>\S+)"])
    assert redactor.text("pin 12;34; end") == "pin [redacted:pattern] end"


def test_of_a_long_word_that_was_cut_the_beginning_stays_and_no_half_of_a_secret(plain: Redactor) -> None:
    assert plain.tree({"name": "x" * 500})["name"] == "x" * 24 + "…"
    assert plain.tree("stage " + "y" * 494) == "stage " + "y" * 24 + "…"
    assert plain.tree("a " * 200 + "y" * 100) == "a " * 200 + "…"
    known = made(600)
    knows = Redactor({"MY_TOKEN": known})
    for before in ("", "is:", "a" * 23):
        assert knows.tree((before + known)[:500]) == f"{before}…"
    assert knows.tree("a" * 30 + known[:470]) == "a" * 24 + "…"


def test_keys_are_redacted_and_none_is_lost(plain: Redactor) -> None:
    first, second = SHAPES["github-token"][:2]
    shown = plain.tree({first: 1, second: 2, "plain": [3, {"x": first}]})
    assert shown == {
        "[redacted:github-token]": 1,
        "[redacted:github-token] #2": 2,
        "plain": [3, {"x": "[redacted:github-token]"}],
    }


@pytest.mark.parametrize(
    ("tree", "shown"),
    [
        ({"api_key": "open" + "sesame"}, {"api_key": "[redacted:secret]"}),
        ({"clientSecret": "open" + "sesame"}, {"clientSecret": "[redacted:secret]"}),
        ({"db-password": "hunter" + "2x"}, {"db-password": "[redacted:secret]"}),
        ({"token_type": "bearer-token"}, {"token_type": "bearer-token"}),
        ({"tokens": "123456", "key": "by-name"}, {"tokens": "123456", "key": "by-name"}),
        ({"api_key": "${OPENAI_API_KEY}"}, {"api_key": "${OPENAI_API_KEY}"}),
    ],
)
def test_a_key_announces_its_value(plain: Redactor, tree: object, shown: object) -> None:
    assert plain.tree(tree) == shown


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["curl", "-u", "me:open" + "sesame"], ["curl", "-u", "me:[redacted:flag]"]),
        (["docker", "run", "-u", "1000:1000"], ["docker", "run", "-u", "1000:1000"]),
        (["x", "--api-key=open" + "sesame"], ["x", "--api-key=[redacted:flag]"]),
        (["env", "API_TOKEN=open" + "sesame", "x"], ["env", "API_TOKEN=[redacted:flag]", "x"]),
        (["x", "--use-token=true", "--token", "${TOKEN}"], ["x", "--use-token=true", "--token", "${TOKEN}"]),
        (["x", "--max-token", "4096"], ["x", "--max-token", "4096"]),
        (["sh", "-c", "export A_TOKEN=open" + "sesame; x"], ["sh", "-c", "export A_TOKEN=[redacted:export]; x"]),
        (["x", "A=1", "--name=value", "-v"], ["x", "A=1", "--name=value", "-v"]),
        (["sh", "-c", "x --pw hunter33; y"], ["sh", "-c", "x --pw [redacted:flag]; y"]),
        (["sh", "-c", "x --pw hunter33& y"], ["sh", "-c", "x --pw [redacted:flag]& y"]),
        (["sh", "-c", "x --pw hunter33|| y"], ["sh", "-c", "x --pw [redacted:flag]|| y"]),
        (["sh", "-c", "x --pw hunter33\ny"], ["sh", "-c", "x --pw [redacted:flag]\ny"]),
        (["sh", "-c", 'y "$(x --pw hunter33)"'], ["sh", "-c", 'y "$(x --pw [redacted:flag])"']),
        (["sh", "-c", "x --pw 'hunter33;' y"], ["sh", "-c", "x --pw '[redacted:flag]' y"]),
        (["sh", "-c", "mysql -phunter33; y"], ["sh", "-c", "mysql -p[redacted:glued-password]; y"]),
        (["sh", "-c", "curl -u me:hunter33; y"], ["sh", "-c", "curl -u me:[redacted:curl-user]; y"]),
        (["sh", "-c", "x --pw ;;;;;;7"], ["sh", "-c", "x --pw [redacted:flag]"]),
    ],
)
def test_a_command_line_is_redacted_word_by_word(plain: Redactor, arguments: list[str], shown: list[str]) -> None:
    assert plain.arguments(arguments) == shown


def test_digests_find_a_value_without_holding_it() -> None:
    value = "quite" + "hidden-1"
    digests = Digests.of(Redactor({"APP_TOKEN": value}).values)
    stored = msgspec.json.encode(digests)
    assert value.encode() not in stored
    later = Redactor({}, digests=[msgspec.json.decode(stored, type=Digests)])
    assert later.text(f'{{"a": "x={value}, y"}}') == '{"a": "x=[redacted:env:APP_TOKEN], y"}'
    assert later.text(quote(f"k={value}&", safe="")) == "k%3D[redacted:env:APP_TOKEN]%26"
    assert Redactor({"APP_TOKEN": value}, digests=[digests]).text(value) == "[redacted:env:APP_TOKEN]"


REPEATED = [
    *[
        "a",
        "A",
        "0",
        "-",
        "_",
        ".",
        "/",
        ":",
        "=",
        " ",
        '"',
        "'",
        "\\",
        "%",
        "\n",
        "@",
        "eyJ",
        "eyJ.",
        "a:",
        "a.",
        "a-",
    ],
    *["A_TOKEN=", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----END ", "://a:", "a://", "Bearer ", "password ="],
    *["machine ", "curl -u ", "curl ", "%41", "\\u0041", "\\\\", "sk-", "key-", "cookie:", "authorization: ", "a: b\n"],
    *["[redacted:", "export A", "--token ", "kind: secret\na: ", "password=a", '"api_key":', "&amp;", "'\"'\"'", "M0"],
    *["A" * 64 + "\n", "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n", "\x1b[", "1:AA", "sl.u.", "t1.a", "s.a"],
]


@pytest.mark.parametrize("piece", REPEATED, ids=ascii)
def test_no_line_takes_more_than_linear_time(plain: Redactor, piece: str) -> None:
    keywords = " ".join(keyword for rule in redact.rules() for keyword in rule.keywords)

    def seconds(size: int) -> float:
        text = keywords + "\n" + (piece * (size // len(piece) + 1))[:size]
        begin = time.process_time()
        plain.text(text)
        return time.process_time() - begin

    small = min(seconds(6 << 10) for _ in range(3))
    # Eight times the text: linear takes 8 times as long, quadratic 64. A small text may take next to nothing.
    assert seconds(48 << 10) < 30 * max(small, 0.004)


def test_a_line_of_a_megabyte_is_redacted(plain: Redactor) -> None:
    secret = SHAPES["github-token"][0]
    line = "x" * (1 << 19) + f" {secret} " + "9f" * (1 << 18)
    assert plain.text(line) == line.replace(secret, "[redacted:github-token]")


PIECES = st.sampled_from(
    [
        "password",
        "token",
        "://",
        "sk-",
        "eyJ",
        "a",
        "Z0",
        "9!",
        "=",
        ":",
        '"',
        "@",
        "/",
        ".",
        "-",
        " ",
        "\n",
        "[",
        "]",
        "$",
        "\\",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    redactor = Redactor({})
    once = redactor.text(text)
    assert redactor.text(once) == once


@given(
    st.sampled_from([value for values in SHAPES.values() for value in values]),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_surroundings_let_a_secret_through(secret: str, before: str, after: str) -> None:
    # Surroundings that make a longer word of it are a different word: a line break is what a log puts between.
    assert secret not in Redactor({}).text(f"{before}\n{secret}\n{after}")


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["x", "--pw", "S3cretXyz12"], ["x", "--pw"]),
        (["x", "--db-pwd=S3cretXyz12"], ["x"]),
        (["x", "--auth", "bob:S3cretXyz12"], ["x", "--auth"]),
        (["x", "--db-pass", "S3cretXyz12"], ["x", "--db-pass"]),
        (["x", "--db-pass=S3cretXyz12"], ["x"]),
        (["x", "--pass", "S3cretXyz12"], ["x", "--pass"]),
        (["x", "--userpass=S3cretXyz12"], ["x"]),
        (["x", "--dbPassword", "S3cretXyz12"], ["x", "--dbPassword"]),
        (["x", "--db.password", "S3cretXyz12"], ["x", "--db.password"]),
        (["x", "--secret-key", "S3cretXyz12"], ["x", "--secret-key"]),
        (["x", "--jwt", "S3cretXyz12"], ["x", "--jwt"]),
        (["mysql", "-uroot", "-pS3cretXyz12", "base"], ["mysql", "-uroot", "base"]),
        (
            ["/usr/bin/sshpass", "-p", "S3cretXyz12", "ssh", "-p", "22", "host"],
            ["/usr/bin/sshpass", "-p", "ssh", "-p", "22", "host"],
        ),
        (
            ["docker", "login", "-u", "me", "-p", "S3cretXyz12", "registry"],
            ["docker", "login", "-u", "me", "-p", "registry"],
        ),
        (["redis-cli", "-a", "S3cretXyz12", "ping"], ["redis-cli", "-a", "ping"]),
        (["openssl", "enc", "-passin", "pass:S3cretXyz12"], ["openssl", "enc", "-passin"]),
        (["7z", "a", "-pS3cretXyz12", "x.7z"], ["7z", "a", "x.7z"]),
        (["az", "login", "-u", "me", "-p", "S3cretXyz12"], ["az", "login", "-u", "me", "-p"]),
        (["twine", "upload", "-p", "S3cretXyz12", "dist/x"], ["twine", "upload", "-p", "dist/x"]),
        (["mongosh", "-u", "root", "-p", "S3cretXyz12"], ["mongosh", "-u", "root", "-p"]),
        (["ldapsearch", "-x", "-w", "S3cretXyz12"], ["ldapsearch", "-x", "-w"]),
        (["zip", "-P", "S3cretXyz12", "x.zip", "a"], ["zip", "-P", "x.zip", "a"]),
        (["http", "-a", "me:S3cretXyz12", "example.com"], ["http", "-a", "example.com"]),
        (["smbclient", "-U", "me%S3cretXyz12", "//h/s"], ["smbclient", "-U", "//h/s"]),
        (
            ["aws", "configure", "set", "aws_secret_access_key", "S3cretXyz12"],
            ["aws", "configure", "set", "aws_secret_access_key"],
        ),
        (
            ["npm", "config", "set", "//registry.example.com/:_authToken", "S3cretXyz12"],
            ["npm", "config", "set", "//registry.example.com/:_authToken"],
        ),
    ],
)
def test_a_password_that_only_its_program_announces_is_taken_out(arguments: list[str], kept: list[str]) -> None:
    shown = Redactor({}).arguments(arguments)
    assert "S3cretXyz12" not in " ".join(shown)
    assert [word for word in shown if "redacted" not in word] == [word for word in kept if "=" not in word]


@pytest.mark.parametrize(
    "arguments",
    [
        ["docker", "run", "-p", "8080:80", "nginx"],
        ["ssh", "-p", "2222", "host"],
        ["mkdir", "-p", "a/b/c/d/e/f"],
        ["python", "-pass", "the-salt"],
        ["grep", "-a", "pattern-with-letters"],
        ["tool", "--auth", "kerberos"],
        ["tool", "--bypass", "the-cache"],
        ["encode", "--single-pass", "film-of-2026.mp4"],
        ["tool", "--db-pass", "$DB_PASS", "--pass", "3"],
        ["ssh", "--private-key", "id_rsa"],
        ["sort", "--sort-key=user_id"],
        ["mysql", "-p", "production_database"],
        ["az", "vm", "create", "-p", "plan-b-of-1999"],
        ["http", "-a", "digest", "example.com/a:b"],
        ["aws", "configure", "set", "region", "eu-central-1"],
    ],
)
def test_flags_that_mean_something_else_are_left_alone(arguments: list[str]) -> None:
    assert Redactor({}).arguments(arguments) == arguments


@pytest.mark.parametrize("unseen", ["\u200b", "\u200c\u200d", "\u2060", "\ufeff", "\u00ad", "\\u200b", "&#8203;"])
def test_a_secret_with_characters_of_no_width_in_it_is_taken_out(unseen: str) -> None:
    key = "ghp_" + made(36)
    broken = f"sent {key[:2]}{unseen}{key[2:20]}{unseen}{key[20:]} away"
    assert Redactor({}).text(broken) == "sent [redacted:github-token] away"
    assert Redactor({"MY_TOKEN": made(30)}).text(unseen.join(made(30))) == "[redacted:env:MY_TOKEN]"


CONTROLS = {
    "a color": "\x1b[31m",
    "a color in JSON": "\\u001b[1;31m",
    "a color as a shell writes it": "\\033[0m",
    "a color as printf does": "\\e[31m",
    "a color as cat -v shows it": "^[[31m",
    "a color as it is made visible": "\u241b[31m",
    "a color in one control": "\x9b31m",
    "a link": "\x1b]8;;https://example.com\x07",
    "a link, ended as xterm does": "\x1b]8;;https://example.com\x1b\\",
    "a character set": "\x1b(B",
    "a bell": "\x07",
}


@pytest.mark.parametrize("kind", CONTROLS)
def test_a_key_with_what_a_terminal_obeys_in_it_is_taken_out(plain: Redactor, kind: str) -> None:
    key = SHAPES["anthropic-key"][0]
    for place in (7, 30):
        broken = key[:place] + CONTROLS[kind] + key[place:]
        assert plain.arguments(["tool", broken, "end"]) == ["tool", "[redacted:anthropic-key]", "end"]
        assert plain.text(f"sent {broken} away") == "sent [redacted:anthropic-key] away"
    shown = f"ends{CONTROLS[kind]} here"
    assert plain.text(shown) == shown


@pytest.mark.parametrize("feed", ["\n", "\r\n"])
def test_a_secret_that_a_terminal_broke_over_lines_is_taken_out(feed: str) -> None:
    key = "sk-" + "proj-" + made(74) + "T3Blbk" + "FJ" + made(74)
    redactor = Redactor({"MY_TOKEN": "correct-horse-battery-staple"})
    for cut in (3, 8, 40, 80):
        assert (
            redactor.text(f"key {key[:cut]}{feed}{key[cut:]} failed\nnext") == "key [redacted:openai-key] failed\nnext"
        )
    twice = feed.join((key[:60], key[60:120], key[120:]))
    assert redactor.lines(f"a\n{twice}\nb".split("\n")) == ["a", "[redacted:openai-key]", "b"]
    assert redactor.text(f"a correct-horse{feed}-battery-staple b") == "a [redacted:env:MY_TOKEN] b"


def test_what_stands_on_the_next_line_for_itself_stays() -> None:
    key = "ghp_" + made(36)
    for after in ("username=somebody", "retrying_in_20_seconds", "next-step-of-2026"):
        assert Redactor({}).text(f"{key}\n{after}") == f"[redacted:github-token]\n{after}"


def test_secrets_one_below_the_other_are_one_each_and_none_takes_the_lines_around() -> None:
    kinds = ("slack-token", "openai-key", "anthropic-key", "github-token", "aws-access-key")
    keys = [SHAPES[kind][0] for kind in kinds]
    told = ["first line", *(f"[redacted:{kind}]" for kind in kinds), "plain 0", "plain 1"]
    for feed in ("\n", "\r\n"):
        assert Redactor({}).text(feed.join(["first line", *keys, "plain 0", "plain 1"])) == feed.join(told)
    broken = f"{keys[0]}\n{keys[2][:40]}\n{keys[2][40:]}\nplain"
    assert Redactor({}).text(broken) == "[redacted:slack-token]\n[redacted:anthropic-key]\nplain"
