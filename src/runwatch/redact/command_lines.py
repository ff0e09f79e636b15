"""Which arguments of a command line are passwords that only the flag or the word before them announces.

Must not know the shapes of secrets (`rules`), nor read a command line that stands in one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runwatch.redact.environment import is_secret_value
from runwatch.redact.rules import MARK, is_reference
from runwatch.secret_names import is_secret_name

_FLAG = re.compile(
    r"--?(?:[a-z0-9]+[-_.])*(?:password|passwd|passphrase|pwd|pw|secret|token|jwt|bearer|credentials?"
    r"|(?:api|access|secret|private|signing|encryption|master|account|storage|shared)[-_.]?key)\Z"
    r"|--(?:(?:[a-z0-9]+[-_.])*(?:account|admin|api|app|archive|auth|backup|bind|cert|client|confirm|database|db|docker"
    r"|email|encryption|ftp|git|http|https|imap|key|keystore|ldap|login|mail|master|mongo|mqtt|my|mysql|new|old|pg"
    r"|postgres|proxy|redis|registry|repo|root|rpc|sasl|server|service|smtp|sql|ssh|ssl|store|sudo|tls|truststore|user"
    r"|vault|vpn|wallet|wifi|zip)[-_.]?)?pass\Z",
    re.I,
)
"""Behind ``pass`` alone only what has such a prefix: `--single-pass` and `--bypass` mean something else."""
_FILE_OR_KEY = re.compile(r"(?:secret|private|signing|encryption|master|account|storage|shared)[-_.]?key\Z", re.I)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_USER_FLAGS = frozenset({"-u", "-U", "--user", "--proxy-user", "--auth"})
_USER_PASSWORD = re.compile(r"[^:\s/]*:(?P<secret>(?!\d+\Z)[^/\s].{2,})\Z")
_SAMBA_USER = re.compile(r"[^%\s]+%(?P<secret>.{3,})\Z", re.DOTALL)
_OPENSSL = re.compile(r"pass:(?P<secret>.{4,})\Z", re.DOTALL)
_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_]\w*|--?[A-Za-z][\w-]*)=(?P<value>.*)\Z", re.DOTALL)
_NO_SECRET = re.compile(r"\d{1,6}(?:\.\d+)?")
_SETTING = frozenset({"set", "config", "configure"})
"""Behind one of these words the name of a setting is followed by its value: ``aws configure set NAME VALUE``."""
_LAST_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_SHOWN = f"{MARK}flag]"


class _Taken(NamedTuple):
    """How a program takes a password."""

    flag: str
    apart: bool = False
    """As the next argument."""
    glued: bool = False
    """In the same one. Where it can only be glued, the flag alone asks for it."""
    behind: str = ""
    """The subcommand without which the flag means something else."""
    pair: bool = False
    """Together with a user: ``me:password``."""


_PROGRAMS = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mariadb", "7z", "7za", "7zz"), _Taken("-p", glued=True)),
    **dict.fromkeys(
        ("docker", "podman", "helm", "nerdctl", "skopeo", "buildah", "az"), _Taken("-p", apart=True, behind="login")
    ),
    **dict.fromkeys(
        ("mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"),
        _Taken("-p", apart=True, glued=True),
    ),
    **dict.fromkeys(
        ("ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "ldappasswd", "ldapcompare"),
        _Taken("-w", apart=True, glued=True),
    ),
    **dict.fromkeys(("zip", "unzip", "zipcloak"), _Taken("-P", apart=True)),
    **dict.fromkeys(("http", "https", "xh", "xhs"), _Taken("-a", pair=True)),
    "sshpass": _Taken("-p", apart=True, glued=True),
    "redis-cli": _Taken("-a", apart=True, glued=True),
    "twine": _Taken("-p", apart=True, behind="upload"),
}
"""Programs to the way in which they take a password. **Source**: their manual pages."""


def without_passwords(arguments: Sequence[str]) -> Iterator[str | None]:
    """Yield each argument without the password that is announced; None for one where nothing announces any."""
    before = ""
    taken: _Taken | None = None
    for at, argument in enumerate(arguments):
        program = _PROGRAMS.get(argument.rpartition("/")[2])
        if program is not None and (not program.behind or program.behind in arguments[at:]):
            taken = program
        shown = _by_its_program(argument, before, taken)
        if shown is not None:
            taken = None  # what follows may be another program's: `sshpass -p … ssh -p 22`
        else:
            shown = _by_its_name(argument, before)
            if shown is None and _SETTING.intersection(arguments[: max(0, at - 1)]):
                shown = _by_its_setting(argument, before)
        yield shown
        before = argument


def announced_arguments(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the passwords of a command line, each behind the variable that it is assigned to, empty without one."""
    for shown, argument in zip(without_passwords(arguments), arguments, strict=True):
        if shown is not None:
            before = shown[: -len(_SHOWN)]
            variable = before[:-1] if before.endswith("=") and not before.startswith("-") else ""
            yield variable, argument[len(before) :]


def _by_its_program(argument: str, before: str, taken: _Taken | None) -> str | None:
    if taken is not None and before == taken.flag:
        if taken.pair:
            return _paired(argument, _USER_PASSWORD)
        if taken.apart:
            return _SHOWN
    if taken is not None and taken.glued and argument.startswith(taken.flag) and len(argument) > len(taken.flag):
        return f"{taken.flag}{_SHOWN}"
    if before.startswith("-pass") and _OPENSSL.match(argument):
        return f"pass:{_SHOWN}"
    return None


def _by_its_name(argument: str, before: str) -> str | None:
    if not argument.startswith("-") and _announces(before, argument):
        return _SHOWN
    if before in _USER_FLAGS and (shown := _paired(argument, _USER_PASSWORD)):
        return shown
    if before == "-U" and (shown := _paired(argument, _SAMBA_USER)):
        return shown
    assigned = _ASSIGNED.match(argument)
    if assigned is not None and _names(assigned["name"], assigned["value"]):
        return f"{assigned['name']}={_SHOWN}"
    return None


def _announces(flag: str, value: str) -> bool:
    """Whether what stands behind a flag is a password; of a key, which is a file as often, only where it looks so."""
    if not flag.startswith("-") or _is_harmless(value) or _FLAG.match(_HUMP.sub("-", flag)) is None:
        return False
    return not _FILE_OR_KEY.search(flag) or is_secret_value(flag, value)


def _names(name: str, value: str) -> bool:
    """Whether an assignment gives a password away."""
    if _announces(name, value):
        return True
    return not _is_harmless(value) and is_secret_name(name) and is_secret_value(name, value)


def _by_its_setting(argument: str, before: str) -> str | None:
    name = _LAST_NAME.search(before)
    if name is None or before.startswith("-") or _is_harmless(argument):
        return None
    return _SHOWN if is_secret_name(name[0]) and is_secret_value(name[0], argument) else None


def _paired(argument: str, pair: re.Pattern[str]) -> str | None:
    match = pair.match(argument)
    return f"{argument[: match.start('secret')]}{_SHOWN}" if match else None


def _is_harmless(value: str) -> bool:
    return not value or is_reference(value) or _NO_SECRET.fullmatch(value) is not None
