"""Secrets are found in every shape they come in, and what only looks like one is left alone.

Every secret here is made up, and put together when the test runs: no file of this repository holds one.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch import redact
from runwatch.errors import SettingsError
from runwatch.redact import Redactor

LETTERS = string.ascii_letters
MIXED = LETTERS + string.digits
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"


def made(length: int, alphabet: str = MIXED, seed: int = 7) -> str:
    """Make up a value that looks random and is the same every time; it ends in a digit where the alphabet has one."""
    chance = random.Random(f"{seed}{length}{alphabet}")
    digits = [character for character in alphabet if character.isdigit()] or list(alphabet)
    return "".join(chance.choices(alphabet, k=length - 1)) + chance.choice(digits)


def block(kind: str) -> str:
    body = "\n".join(made(64, MIXED + "+/", seed) for seed in range(6))
    return "\n".join(["-----BEGIN " + f"{kind}-----", body, "-----END " + f"{kind}-----"])


SHAPES: dict[str, list[str]] = {
    "private-key": [
        block("RSA PRIVATE KEY"),
        block("OPENSSH PRIVATE KEY"),
        block("PRIVATE KEY"),
        block("PGP PRIVATE KEY BLOCK"),
    ],
    "age-secret-key": ["AGE-SECRET-KEY-" + "1" + made(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")],
    "aws-access-key": ["AKIA" + made(16, BASE32), "ASIA" + made(16, BASE32)],
    "aws-bedrock-key": ["ABSK" + made(120), "bedrock-api-key-" + made(60)],
    "google-api-key": ["AIza" + made(35)],
    "google-oauth": ["ya29." + made(60), "GOCSPX-" + made(28)],
    "azure-client-secret": ["a1B" + "8Q~" + made(34)],
    "azure-account-key": ["AccountKey=" + made(86) + "=="],
    "alibaba-access-key": ["LTAI" + made(20)],
    "digitalocean-token": ["dop_" + "v1_" + made(64, HEX)],
    "databricks-token": ["dapi" + made(32, HEX)],
    "fly-token": ["fo1_" + made(43), "fm2_" + made(120)],
    "heroku-key": ["HRKU-" + "AA" + made(58)],
    "anthropic-key": ["sk-" + "ant-api03-" + made(93) + "AA", "sk-" + "ant-admin01-" + made(93) + "AA"],
    "openai-key": [
        "sk-" + made(20) + "T3Blbk" + "FJ" + made(20),
        "sk-" + "proj-" + made(74) + "T3Blbk" + "FJ" + made(74),
        "sk-" + "or-v1-" + made(64, HEX),
    ],
    "huggingface-token": ["hf_" + made(34, LETTERS)],
    "model-service-key": [
        "gsk_" + made(52),
        "xai-" + made(80),
        "r8_" + made(37),
        "pplx-" + made(48),
        "nvapi-" + made(64),
        "lsv2_" + "pt_" + made(32, HEX) + "_" + made(10, HEX),
        "fw_" + made(24),
    ],
    "github-token": ["ghp_" + made(36), "gho_" + made(36), "ghs_" + made(36), "github_" + "pat_" + made(82)],
    "gitlab-token": [
        "glpat-" + made(20),
        "glrt-" + made(20),
        "gldt-" + made(20),
        "glcbt-64_" + made(20),
        "GR13" + "48941" + made(20),
    ],
    "bitbucket-token": ["ATBB" + made(32)],
    "atlassian-token": ["ATATT3" + made(186)],
    "npm-token": ["npm_" + made(36)],
    "pypi-token": ["pypi-" + "AgEIcHlwaS5vcmc" + made(80)],
    "rubygems-key": ["rubygems_" + made(48, HEX)],
    "docker-token": ["dckr_" + "pat_" + made(27)],
    "slack-token": [
        "xoxb-" + made(12, string.digits) + "-" + made(12, string.digits) + "-" + made(24),
        "xapp-1-" + made(11, BASE32) + "-" + made(13, string.digits) + "-" + made(64, HEX),
    ],
    "webhook": [
        "https://hooks.slack.com/" + "services/" + made(9, BASE32) + "/" + made(11, BASE32) + "/" + made(24),
        "https://discord.com/api/" + "webhooks/" + made(18, string.digits) + "/" + made(68),
    ],
    "telegram-token": [made(10, string.digits) + ":AA" + made(33)],
    "stripe-key": ["sk_" + "live_" + made(24), "rk_" + "test_" + made(24), "whsec_" + made(32)],
    "shopify-token": ["shpat_" + made(32, HEX)],
    "square-token": ["sq0atp-" + made(22)],
    "sendgrid-key": ["SG." + made(22) + "." + made(43)],
    "mail-service-key": ["xkeysib-" + made(64, HEX) + "-" + made(16), "key-" + made(32, HEX)],
    "twilio-key": ["SK" + made(32, HEX)],
    "vault-token": ["hvs." + made(95), "hvb." + made(140)],
    "terraform-token": [made(14) + ".atlasv1." + made(67)],
    "1password-token": ["ops_" + "eyJ" + made(260)],
    "doppler-token": ["dp.pt." + made(43)],
    "grafana-token": ["glsa_" + made(32) + "_" + made(8, HEX), "glc_" + made(80)],
    "sentry-token": ["sntryu_" + made(64, HEX)],
    "newrelic-key": ["NRAK-" + made(27, BASE32)],
    "service-token": [
        "lin_" + "api_" + made(40),
        "ntn_" + made(46),
        "PMAK-" + made(24, HEX) + "-" + made(34, HEX),
        "pul-" + made(40, HEX),
        "pscale_" + "tkn_" + made(43),
        "sbp_" + made(40, HEX),
        "shippo_" + "live_" + made(40, HEX),
        "dt0c01." + made(24, BASE32) + "." + made(64, BASE32),
        "rdme_" + made(70),
        "pnu_" + made(36),
    ],
    "jwt": ["eyJ" + made(33) + ".eyJ" + made(60) + "." + made(43)],
}
"""Rule → values of the shape that it is for, the whole of which must go."""


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


SECRET = made(24, seed=3)
WORD = "hunter" + "2hunter2"

ANNOUNCED: list[tuple[str, str, str]] = [
    ("authorization", "Authorization: Bearer {}", SECRET),
    ("authorization", "-H 'Authorization: Basic {}'", made(20)),
    ("authorization", '{{"authorization": "token {}"}}', SECRET),
    ("authorization", "Authorization: Basic {}", "dXNlcjpwYX" + "NzcGFzcw=="),
    ("authorization-value", "authorization: {}", SECRET),
    ("bearer", "sent Bearer {} to the server", SECRET),
    ("url-password", "postgresql://app:{}@db.internal:5432/app", WORD),
    ("url-password", "git clone https://oauth2:{}@git.example.com/a/b.git", WORD),
    ("url-password", "redis://:{}@localhost:6379/0", WORD),
    ("url-signature", "GET https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature={}", made(64, HEX)),
    ("url-signature", "https://a.blob.core.windows.net/c?sv=2024&sig={}", made(44)),
    ("netrc", "machine example.com login me password {}", WORD),
    ("cookie", "Set-Cookie: session={}; Path=/", SECRET),
    ("flag", "deploy --token {} --verbose", SECRET),
    ("flag", "login --user me --password={}", WORD),
    ("flag", "tool --db-password '{}'", WORD),
    ("password", "password={}", WORD),
    ("password", 'DB_PASSWORD: "{}"', WORD),
    ("password", '{{"user": "me", "passwd": "{}"}}', WORD),
    ("password", '{{\\"password\\": \\"{}\\"}}', WORD),
    ("password", "connecting with pwd={};server=x", WORD),
    ("password", 'password = "{}"', "correct horse" + " battery 9"),
    ("secret", "api_key={}", SECRET),
    ("secret", "export OPENAI_API_KEY={}", SECRET),
    ("secret", 'aws_secret_access_key = "{}"', made(40, MIXED + "+/")),
    ("secret", '"clientSecret": "{}"', SECRET),
    ("secret", '"SecretAccessKey": "{}",', made(40, MIXED + "+/")),
    ("secret", "access_token={}&expires_in=3600", SECRET),
    ("secret", "X-Api-Key: {}", SECRET),
    ("secret", "session token: {}", made(40, HEX)),
]


@pytest.mark.parametrize(("rule", "template", "secret"), ANNOUNCED, ids=[case[1] for case in ANNOUNCED])
def test_a_secret_that_is_announced_is_taken_out_and_its_surroundings_stay(
    plain: Redactor, rule: str, template: str, secret: str
) -> None:
    assert plain.text(template.format(secret)) == template.format(f"[redacted:{rule}]")


LOOK_ALIKES = [
    "commit 3f786850e387550fdab836ed7e6dc881de23001b on main",
    "HEAD is now at 3f78685 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "request 550e8400-e29b-41d4-a716-446655440000 took 2.0 s",
    "runs/baes/20261020-142345-abc123/logs/step_001/adapter.log",
    "run_20261020_142345_project_12345678 started",
    "prompt_tokens=1234 completion_tokens=567 total_tokens: 1801000000",
    "max_tokens: 4096, token_count=123456789012345, tokens/s 12345678.12",
    '{"input_tokens": 123456789, "token_limit": "1000000000"}',
    "TOKENIZERS_PARALLELISM=false tokenizer=bert-base-uncased-v2-2026",
    "token: string, secret: bytes, password: required",
    "password=None api_key=null token=undefined",
    "password: ********  secret=<your-secret-here-1> token=${GITHUB_TOKEN} key=$API_KEY_2",
    'api_key = os.environ["OPENAI_API_KEY_2"]',
    "secret=config.secret_key token=settings.auth_token password=args.password",
    "password = getpass.getpass('Password: ')",
    "token = secrets.token_hex(32)",
    "password_file=/run/secrets/db_password_1",
    "secret: /etc/ssl/private/tls-2026.pem",
    "the password is wrong; reset your password at https://example.com/reset/2026",
    "Password: incorrect",
    "error: unexpected token: IDENTIFIER at line 12",
    "invalid token '}' at 14:26:03.882",
    "the bearer of this message; Bearer authentication-is-required",
    "https://example.com:8080/path?x=1@y and http://localhost:8000/@scope/pkg",
    "ssh://git@github.com/owner/repository.git",
    "postgresql://app:***@db/app and https://user:${PASSWORD}@host/",
    "sk-learn-contrib-projects and task-management-of-2026-and-more",
    "/usr/lib/python3.11/site-packages/keyring/backends/SecretService.py:117",
    "import asia_pacific; ASIATICA; AKIAHABARA",
    "model=gpt-4o-mini-2024-07-18 provider=openai temperature=0.7",
    "sha512-" + "A" * 60,
    "key: primary-key-of-the-table-2026",
    "cache key 9f86d081884c7d659a2feaa0c55ad015 hit",
    "tests/unit/test_secret_store.py::test_token_is_refreshed_after_3600_s PASSED",
    "docker run -u 1000:1000 image:v1.2.3",
    "--token-limit 4096 --max-tokens 100000 --password-stdin --secret-name app-2026",
    "eyJust a word. eyJ.",
    "sk-" + "a" * 30 + "1 password=aaaaaaaa1 token: 0000-0000-0000-0001 Bearer 0000000000000001",
    "Authorization: required; authorization=insufficient_scope",
    "expected a line '-----BEGIN RSA PRIVATE KEY-----' at the start of the file, but found nothing that looks like it",
    "hf_hub_download(repo_id) npm_config_registry npm_lifecycle_event",
]


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
