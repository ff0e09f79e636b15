"""Made-up secrets of real shapes, and texts that only look like them.

Every secret is put together when it is needed, from parts that are none: no scanner finds one in this file. Check
digits are right where a format has them.
"""

from __future__ import annotations

import base64
import json
import random
import string
import zlib
from functools import partial
from typing import Protocol
from urllib.parse import quote

LETTERS = string.ascii_letters
MIXED = LETTERS + string.digits
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"


def made(length: int, alphabet: str = MIXED, seed: int = 7) -> str:
    """Make up a value that looks random and is the same every time; it ends in a digit where the alphabet has one."""
    chance = random.Random(f"{seed}{length}{alphabet}")
    digits = [character for character in alphabet if character.isdigit()] or list(alphabet)
    return "".join(chance.choices(alphabet, k=length - 1)) + chance.choice(digits)


def block(kind: str, seed: int = 7) -> str:
    """Make up a key in PEM form."""
    body = "\n".join(made(64, MIXED + "+/", 100 * seed + line) for line in range(6))
    return "\n".join(["-----BEGIN " + f"{kind}-----", body, "-----END " + f"{kind}-----"])


UPPER = string.ascii_uppercase + string.digits
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Making(Protocol):
    """What makes up a value of a length, from an alphabet."""

    def __call__(self, length: int, alphabet: str = MIXED) -> str: ...


def checked(prefix: str, body: str) -> str:
    """Append the check digits of GitHub and npm: CRC32 of the body in base 62, six places."""
    number, digits = zlib.crc32(body.encode()), ""
    while len(digits) < 6:
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return prefix + body + digits


def uuid(m: Making) -> str:
    """Make up a UUID."""
    return "-".join(m(length, HEX) for length in (8, 4, 4, 4, 12))


def token(header: dict[str, str], m: Making) -> str:
    """Make up a JSON web token that decodes."""
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, {"sub": m(9), "iat": 1790000000}))
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, m(43)])


def shapes(seed: int = 7) -> dict[str, list[str]]:
    """Return rule → values of the shape that it is for, the whole of which must go; another seed, other values."""
    m: Making = partial(made, seed=seed)
    return {
        "private-key": [
            block("RSA PRIVATE KEY", seed),
            block("OPENSSH PRIVATE KEY", seed),
            block("PRIVATE KEY", seed),
            block("PGP PRIVATE KEY BLOCK", seed),
        ],
        "age-secret-key": ["AGE-SECRET-KEY-" + "1" + m(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")],
        "aws-access-key": ["AKIA" + m(16, BASE32), "ASIA" + m(16, BASE32)],
        "aws-bedrock-key": ["ABSK" + m(120), "bedrock-api-key-" + m(60)],
        "google-api-key": ["AIza" + m(35)],
        "google-oauth": ["ya29." + m(60), "GOCSPX-" + m(28)],
        "azure-client-secret": ["a1B" + "8Q~" + m(34)],
        "azure-account-key": ["AccountKey=" + m(86) + "=="],
        "alibaba-access-key": ["LTAI" + m(20)],
        "digitalocean-token": ["dop_" + "v1_" + m(64, HEX)],
        "databricks-token": ["dapi" + m(32, HEX)],
        "fly-token": ["fo1_" + m(43), "fm2_" + m(120)],
        "heroku-key": ["HRKU-" + "AA" + m(58)],
        "anthropic-key": ["sk-" + "ant-api03-" + m(93) + "AA", "sk-" + "ant-admin01-" + m(93) + "AA"],
        "openai-key": [
            "sk-" + m(20) + "T3Blbk" + "FJ" + m(20),
            "sk-" + "proj-" + m(74) + "T3Blbk" + "FJ" + m(74),
            "sk-" + "or-v1-" + m(64, HEX),
        ],
        "huggingface-token": ["hf_" + m(34, LETTERS)],
        "model-service-key": [
            "gsk_" + m(52),
            "xai-" + m(80),
            "r8_" + m(37),
            "pplx-" + m(48),
            "nvapi-" + m(64),
            "lsv2_" + "pt_" + m(32, HEX) + "_" + m(10, HEX),
            "fw_" + m(24),
            "e2b_" + m(40, HEX),
            "fc-" + m(32, HEX),
            "tgp_v1_" + m(43),
        ],
        "github-token": [
            *(checked(prefix, m(30)) for prefix in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
            "github_" + "pat_" + m(22) + "_" + m(59),
        ],
        "gitlab-token": [
            "glpat-" + m(20),
            "glrt-" + m(20),
            "gldt-" + m(20),
            "glcbt-64_" + m(20),
            "GR13" + "48941" + m(20),
        ],
        "bitbucket-token": ["ATBB" + m(32)],
        "atlassian-token": ["ATATT3" + m(186)],
        "npm-token": [checked("npm_", m(30))],
        "pypi-token": ["pypi-" + "AgEIcHlwaS5vcmc" + m(80), "pypi-" + "AgENdGVzdC5weXBpLm9yZw" + m(80)],
        "rubygems-key": ["rubygems_" + m(48, HEX)],
        "docker-token": ["dckr_" + "pat_" + m(27)],
        "slack-token": [
            "xoxb-" + m(12, string.digits) + "-" + m(12, string.digits) + "-" + m(24),
            "xapp-1-" + m(11, BASE32) + "-" + m(13, string.digits) + "-" + m(64, HEX),
        ],
        "webhook": [
            "https://hooks.slack.com/" + "services/" + m(9, BASE32) + "/" + m(11, BASE32) + "/" + m(24),
            "https://discord.com/api/" + "webhooks/" + m(18, string.digits) + "/" + m(68),
        ],
        "telegram-token": [m(10, string.digits) + ":AA" + m(33)],
        "stripe-key": ["sk_" + "live_" + m(24), "rk_" + "test_" + m(24), "whsec_" + m(32)],
        "shopify-token": ["shpat_" + m(32, HEX)],
        "square-token": ["sq0atp-" + m(22)],
        "sendgrid-key": ["SG." + m(22) + "." + m(43)],
        "mail-service-key": ["xkeysib-" + m(64, HEX) + "-" + m(16), "key-" + m(32, HEX)],
        "twilio-key": ["SK" + m(32, HEX)],
        "vault-token": ["hvs." + m(95), "hvb." + m(140), "s." + "aB" + m(22)],
        "terraform-token": [m(14) + ".atlasv1." + m(67)],
        "1password-token": ["ops_" + "eyJ" + m(260)],
        "doppler-token": ["dp.pt." + m(43)],
        "grafana-token": ["glsa_" + m(32) + "_" + m(8, HEX), "glc_" + m(80)],
        "sentry-token": ["sntryu_" + m(64, HEX)],
        "newrelic-key": ["NRAK-" + m(27, BASE32)],
        "service-token": [
            "lin_" + "api_" + m(40),
            "ntn_" + m(46),
            "secret_" + m(43),
            "napi_" + m(60, string.ascii_lowercase + string.digits),
            "PMAK-" + m(24, HEX) + "-" + m(34, HEX),
            "pul-" + m(40, HEX),
            "pscale_" + "tkn_" + m(43),
            "sbp_" + m(40, HEX),
            "shippo_" + "live_" + m(40, HEX),
            "dt0c01." + m(24, BASE32) + "." + m(64, BASE32),
            "rdme_" + m(70),
            "pnu_" + m(36),
            "p8e-" + m(32),
            "scauth_" + m(8, HEX) + ".ab12." + "acc_" + m(16, HEX) + "." + m(60),
            "4b1d" + m(38),
            "fio-u-" + m(64),
            "s-s4t2" + "ud-" + m(64, HEX),
            "sm_aat_" + m(16),
            "figd_" + m(40),
            "nfp_" + m(36),
            "rnd_" + m(32),
            "sb_secret_" + m(34),
            "vcp_" + m(56),
            "vercel_" + m(24),
            "CFPAT-" + m(43),
            "pcsk_" + m(70),
            "tvly-" + m(32),
            "wandb_v1_" + m(77),
            "aio_" + "".join(["ABcd", "12"]) + m(22),
            "tfp_" + m(59),
            "sk_" + m(48, HEX),
            "pk." + "eyJ" + m(60) + "." + m(22),
        ],
        "jwt": [token({"alg": "HS256", "typ": "JWT"}, m), token({"typ": "JWT", "alg": "RS256", "kid": m(8)}, m)],
        "azure-key": [m(52) + "JQQ" + "J99B" + "C" + m(26)],
        "gemini-key": ["AQ." + "Ab8" + m(48)],
        "cloudflare-key": ["v1.0-" + m(24, HEX) + "-" + m(146, HEX), "cfut_" + m(40)],
        "openshift-token": ["sha256" + "~" + m(43)],
        "yandex-key": ["AQVN" + m(36), "t1." + m(12) + "." + m(86)],
        "scalingo-token": ["tk-" + "us-" + m(48)],
        "tailscale-key": ["tskey-" + "auth-" + m(17) + "-" + m(32)],
        "jfrog-token": ["AKCp" + m(69), "cmVmd" + m(59)],
        "sourcegraph-token": ["sgp_" + m(16, HEX) + "_" + m(40, HEX), "sgp_" + m(40, HEX)],
        "clojars-token": ["CLOJARS_" + m(60, HEX)],
        "ci-token": [
            "CCIPAT_" + m(22) + "_" + m(40, HEX),
            "bkua_" + m(40, HEX),
            "squ_" + m(40, HEX),
            "API-" + m(26, string.ascii_uppercase + string.digits),
        ],
        "harness-token": ["pat." + m(22) + "." + m(24) + "." + m(20)],
        "infracost-key": ["ico-" + m(32)],
        "discord-token": ["M" + m(25) + "." + m(6) + "." + m(38)],
        "airtable-token": ["pat" + m(14) + "." + m(64, HEX)],
        "facebook-token": ["EAAM" + m(120), m(15, string.digits) + "|" + m(27)],
        "payment-key": [
            "FLWSECK" + "_TEST-" + m(32, "abcdefgh0123456789") + "-X",
            "EZAK" + m(54),
            "duffel_" + "live_" + m(43),
            "live_" + m(35, HEX),
            "access-" + "sandbox-" + uuid(m),
        ],
        "maxmind-key": [m(6) + "_" + m(29) + "_mmk"],
        "1password-secret-key": ["A3-" + "-".join([m(6, UPPER), m(11, UPPER), m(5, UPPER), m(5, UPPER), m(5, UPPER)])],
        "hubspot-token": ["pat-" + "na1-" + uuid(m)],
        "mailchimp-key": [m(32, HEX) + "-us12"],
        "dropbox-token": ["sl." + m(136)],
    }


SHAPES = shapes()


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
    ("cookie", "curl -b _gitlab_session={}", made(32, HEX)),
    ("curl-user", "curl -s -u admin:{} https://example.com/api", WORD),
    ("curl-user", "curl --user='admin:{}' https://example.com", "plain" + "letters"),
    ("sshpass", "sshpass -p {} ssh host", "abc" + "def"),
    ("password-flag", "docker login -u me -p {} registry.example.com", WORD),
    ("password-flag", "+ az login --service-principal -u app -p {} --tenant t", "abc" + "def"),
    ("password-flag", "twine upload -u __token__ -p {} dist/*", WORD),
    ("password-flag", "mongodump --host db -u root -p {} --out /backup", WORD),
    ("password-flag", "redis-cli -h cache -a {} ping", WORD),
    ("password-flag", "ldapsearch -x -D cn=admin -w {} -b dc=example", WORD),
    ("password-flag", "zip -r -P {} out.zip folder", WORD),
    ("password-flag", "http -a admin:{} POST example.com/api", WORD),
    ("password-flag", "smbclient //host/share -U admin%{}", WORD),
    ("password-flag", "aws configure set aws_secret_access_key {}", made(40, MIXED + "+/")),
    ("password-flag", "Command '['docker', 'login', '-u', 'me', '-p', '{}']' returned non-zero exit status 1.", WORD),
    ("glued-password", "mysql -uroot -p{} failed with exit code 1", "abc" + "def"),
    ("glued-password", "Command '['mysqldump', '-uroot', '-p{}', 'base']' returned non-zero exit status 2.", WORD),
    ("registry-auth", '{{"auths": {{"r.example.com": {{"auth": "{}"}}}}}}', made(24)),
    ("secret", "//registry.example.com/:_authToken={}", made(20)),
    ("export", "export DEPLOY_TOKEN={}", "only" + "letters"),
    ("export", "+ export DB_PASSWORD='{}'", "correct horse" + " battery"),
    ("export", "docker run -e API_SECRET={} image", "opensesame"),
    ("export", "setenv SERVICE_API_KEY {}", made(12)),
    ("nuget-password", '<add key="ClearTextPassword" value="{}" />', "some pass" + "phrase"),
    ("password", "password={}", "open" + "sesame"),
    ("password", '{{"password": "{}"}}', "open" + "sesame"),
    ("secret", '{{"api_key": "{}"}}', "vL2ntei" + "7NR"),
    ("secret", '{{"client_secret": "{}"}}', "qwertz" + "uiop"),
    ("secret", "access_api_key = {}", "vL2ntei7NR" + "xQ"),
    ("kubernetes-secret", "kind: Secret\ndata:\n  db: {}\n", "dXNlcjpwYXNz" + "d29yZA=="),
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
    ("openai-key", "model=m-{} failed", "sk-" + "proj-" + made(74) + "T3Blbk" + "FJ" + made(74)),
    ("openai-key", "X_{}", "sk-" + "svcacct-" + made(60)),
    ("openai-key", "keyed{} again", "sk-" + "proj-" + made(40)),
    ("openai-key", "proxy_{}", "sk-" + made(22)),
    ("openai-key", "m-{}", "sk-" + made(32, HEX)),
    ("openai-key", "model{}", "sk-" + made(48)),
    ("openai-key", "m{}", "sk-" + "or-v1-" + made(64, HEX)),
    ("url-token", "git+https://{}@github.com/o/r.git", made(40, HEX)),
    ("url-token", "SENTRY https://{}@o1.ingest.sentry.io/4504", made(32, HEX)),
    ("url-token", "cloning https://{}@git.example.com/o/r failed", made(36)),
]


ENVIRONMENT = {
    "SERVICE_TOKEN": made(40, seed=5),
    "DB_PASSWORD": "Tr0ub" + "4dor&3/x=",
    "SHORT_PASSWORD": "s3" + "cr3t!!",
    "APP_SECRET": "staging-data-" + "warehouse",
    "SIGNING_KEY": made(32, HEX, seed=5),
    "CLUSTER_SECRET": "Staging-Cluster" + "-2026",
    "UNICODE_PASSWORD": "pässw" + "örd/x+9€𝄞Q",
}
"""Variables of a run; of these values no form may get out."""


def _units(value: str) -> list[bytes]:
    """Return the code units of UTF-16, of which JSON's escapes are made."""
    data = value.encode("utf-16-be")
    return [data[at : at + 2] for at in range(0, len(data), 2)]


WRITTEN = {
    "as it is": lambda value: value,
    "in hex": lambda value: value.encode().hex(),
    "in hex, capitals": lambda value: value.encode().hex().upper(),
    "in hex, among other bytes": lambda value: f"0x00ff{value.encode().hex()}fe01",
    "in a URL": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "in a part of a URL": lambda value: quote(value),
    "in a URL in a URL": lambda value: quote(quote(value)),
    "as bytes that Python shows": lambda value: repr(value.encode()),
    "in base64": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "in JSON": lambda value: "".join(f"\\u{unit.hex()}" for unit in _units(value)),
    "in capitals": lambda value: value.upper(),
    "in small letters": lambda value: value.lower(),
}
"""Forms in which a value of the environment turns up."""
NOT_FOUND = {
    ("SHORT_PASSWORD", "in capitals"): "too short, may be a word",
    ("APP_SECRET", "in capitals"): "words, which a text may hold as its own",
    ("CLUSTER_SECRET", "in capitals"): "words and a number",
    ("CLUSTER_SECRET", "in small letters"): "words and a number",
}
"""What is left alone for the sake of texts that hold no secret, and why."""
ENVIRONMENT_LOOK_ALIKES = [
    "STAGING-DATA-WAREHOUSE is the name of a cluster",
    "S3CR3T!! is short",
    "staging-cluster-2026 is up, STAGING-CLUSTER-2026 too",
    "sha256:" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "SHA1 DA39A3EE5E6B4B0D3255BFEF95601890AFD80709 id 0x7ffd5a3c1e10 48656c6c6f20776f726c64 20261121152603123456",
    "TR0UB-4DOR",
]
"""Texts that hold none of these values."""

LOOK_ALIKES = [
    "docker run -p 8080:80 nginx; zip -r out.zip folder; https --all accept:json; docker login -u me --password-stdin",
    "az vm create -n web -p plan; mongod --port 27017 -p; http -a digest example.com/a:b",
    "secret_santa_list_of_everybody_in_the_house_of_2026 fc-cache-of-fonts e2b_sandbox vercel_environment_variables",
    "aws configure set region eu-central-1; aws configure set output json-of-all-the-things-2026",
    "caf%C3%A9 na%C3%AFve b'gr\\xc3\\xb6\\xc3\\x9fer'",
    "mysql -p base; ssh -p2222 host",
    "mysql --port=3306 --protocol=tcp",
    "my7z -plain and mkdir -plugins",
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
    "task-V1StGXR8Z5jdHi6BmyT3x disk-3f786850e387550fdab836ed7e6dc881de23001b risk-assessment-2026-Q4-final-report",
    "task-admin-panel-redesign-2026-Q4 lang_sk-SK-2026-translations-of-everything x-sk-learn-contrib-projects-v2",
    "https://administrator2026longer@host ssh://deploy-bot-2026-release-7x@host.example.com https://jane.doe@host",
    "docker-image://build7a9b2c4d6e8f0a1b2c3d@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://cdn.example.com/npm/@scope/package-2026@1.2.3b4c5d6e7f8a git+https://example.com/r@3f786850e387550fdab",
    "sk-learn-contrib-projects\n9f86d081884c7d659a2feaa0c55ad015\nrun_20261020_142345_project_7\nABC-1",
    "naïve caf\u00e9 \u200bzero\u200bwidth\u200b words \u2060and \ufeffmarks\u00ad2026 stay 👩\u200d💻 as they are",
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
    "def unix_getpass(prompt='Password: ', stream=None):",
    "hf_hub_download(repo_id) npm_config_registry npm_lifecycle_event",
    'ETag: "33a64df551425fcc55e4d42a148795d9f25f89d4" W/"0815" If-None-Match: "686897696a7c876b7e"',
    "req_011CSHoEeqs5C35K2UUqR7Fy msg_01XFDUDYJgAACzvnptvVoYEL toolu_01A09q90qw90lq917835lq9",
    "chatcmpl-9nYvW2g7TzVwKkFq7m1Yt3hB resp_68a1b2c3d4e5f6 run_abc123DEF456 thread_abc123DEF456 asst_abc123",
    "x-request-id: 7f3c2b1a-9d8e-4f5a-b6c7-d8e9f0a1b2c3 x-amzn-RequestId: 1-5759e988-bd862e3fe1be46a994272793",
    "claude-opus-4-5-20251101 claude-3-5-sonnet-20241022 gpt-4.1-2025-04-14 gemini-2.5-pro-preview-05-06 o4-mini",
    "meta-llama/Llama-3.3-70B-Instruct-Turbo deepseek-ai/DeepSeek-R1-Distill-Qwen-32B mistralai/Mixtral-8x22B",
    "pip: numpy==1.26.4 --hash=sha256:2a02aba9ed12e4ac4eb3ea9421c420301a0c6460d9830d74a9df87efa4912010",
    "integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "h1:TgVbV2OZKtvlpvdUqP9s8B8H2NpyJzD0f1BfRf4a4Wk= go.sum golang.org/x/text v0.3.0",
    "Successfully built 3f786850e387; image sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1",
    'class="css-1q2w3e4r5t6y MuiButton-containedPrimary-27 sc-bdVaJa hQZxNf _2yVbL"',
    "/tmp/pytest-of-runner/pytest-0/test_a_b_c0/project/.venv/lib/python3.13/site-packages/x.cpython-313.so",
    "1234567890123456789012345678901234567890 3.14159265358979323846264338327950288 0xdeadbeefcafebabe0123456789",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk1YcXxJr1x0v0P5b2sY1r2E4v0t6w8y9zAbCdEfGhI user@host",
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvV3x\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQ\n-----END CERTIFICATE-----",
    "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8 github.com (ED25519) to the list of known hosts",
    "GET /api/v1/users?page=2&per_page=100&sort=created_at&order=desc&cursor=eyJpZCI6MTIzNDV9 200 in 34 ms",
    "next_page_token: none, page_token=2 continuation tokens: 17 of 4096 tokens, token budget 200000",
    "tokens/s=1234.5678 eos_token_id=151643 pad_token=<|endoftext|> bos_token='<s>'",
    "Traceback: File \"src/auth/token_store.py\", line 117, in refresh_access_token: KeyError: 'access_token'",
    "assert response.json()['token'] == expected_token",
    "def login(username: str, password: str, token: str | None = None) -> Session:",
    "password_hash = hashlib.sha256(password.encode()).hexdigest()",
    'error: password authentication failed for user "app"; password=required, passphrase: missing_or_invalid',
    "run --env API_KEY --secret id=mysecret,src=secret.txt --password-file /run/secrets/db",
    "export TOKEN_FILE=/run/secrets/token export PASSWORD_STORE_DIR=$HOME/.pass export GITHUB_TOKEN=$CI_TOKEN",
    "env SECRET_NAME=prod-database AUTH_TYPE=basic MAX_TOKENS=8192 TOKEN_LIMIT=100000 ./run.sh",
    'curl -u $USER:$PASSWORD https://example.com; curl -u "${API_USER}:${API_PASS}" https://example.com',
    "AKIAIOSFODNN is short; ASIA-PACIFIC-SOUTHEAST; EAAnnouncement of the EAAA; MTAwMDA.eA.short",
    "API-REFERENCE-AND-GUIDE-FOR-DEVELOPERS API-ABCDEFGHIJKLMNOPQRSTUVWXYZ pat-na1-is-not-one",
    "test_abcdef live_stream_of_events test_1234567890 live_count=3",
    "tests/test_sk_learn.py::test_pk_lookup[0-1] PASSED sk_live is a prefix, pk.pem is a file",
    "branch feature/ISSUE-1234-rotate-api-key-and-secret-handling of refs/heads/main..origin/main",
    "v1.0-rc1 v1.0-deadbeef s.split(',') s.replace_all_the_words_in x.s.abcdefghijklmnopqrstuvwx",
    "k8s: secret/db-credentials configured; secretName: tls-cert; secretKeyRef: {name: db, key: password}",
    "Cookie: theme=dark; lang=en-US; Set-Cookie: seen=true; Path=/",
    "WARNING: token expired at 2026-11-21T15:26:03Z, refreshing; token_type=bearer expires_in=3600 scope=repo",
    "run 20261121-152603-a1b2c3 of baes/run_20261020_142345_project_7 committed as 9b3ee6d on main",
    "Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6 arn:aws:iam::123456789012:role/deploy-2026",
    "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709 md5:d41d8cd98f00b204e9800998ecf8427e crc32:cbf43926",
    "C%3A%5CUsers%5Cme%5Cproject%20one%2Fsrc 100%25 of tests at 95%ile \\u0041\\n \\x41 &amp; &lt;b&gt;",
]
