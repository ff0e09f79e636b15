"""Where every file of a run lies, and which names may become files.

Must not read or interpret what the files hold. Source: record.md, "The run directory".
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from runwatch.errors import BadName

TRACKED = ("metadata.json", "metrics.json", "commit.txt", "logs_summary.txt", "summary.md")
"""The five files of a run that git tracks."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_RESERVED = {".", "..", "csv"}
_LONGEST_ISSUE = 100
"""Bytes of an issue id in a file name: what stands around it stays below the 143 that some file systems allow."""


_LIKE_A_KEY = re.compile(r"(?=.{20})(?=.*[A-Za-z0-9]{10})")
"""Each key that is known by its shape is as long, and has as long a piece: other names need no look at the rules."""


def check_name(kind: str, name: str) -> str:
    """Return ``name`` when it is safe as a file name; raise BadName with the value and the remedy."""
    if not _NAME.match(name) or name.lower() in _RESERVED:
        raise BadName(
            f"{kind} {name!r} cannot be a file name: use 1 to 100 letters, digits, '.', '_' or '-', "
            "and neither '.', '..' nor 'csv'."
        )
    if name.startswith("."):
        from runwatch.vcs.special_names import is_special  # the supervisor has no need of it

        if is_special(name):
            raise BadName(
                f"{kind} {name!r} is a name that git keeps for itself, so that nobody could clone what is committed: "
                "choose another, without a dot in front."
            )
    return name


def refuse_key(kind: str, name: str) -> None:
    """Raise BadName where a name that somebody chose is a key: it is published with the run."""
    if _LIKE_A_KEY.match(name):
        from runwatch.redact.rules import concerned  # 30 ms that hardly a name costs

        if any(True for rule in concerned(name) for _ in rule.find(name)):
            raise BadName(f"{kind} {name[:4]}… looks like a key or a token, and would be published: choose another.")


def new_run_id(now: datetime | None = None) -> str:
    """Return ``YYYYMMDD-HHMMSS-<6 hex>``, UTC."""
    return f"{(now or datetime.now(UTC)).astimezone(UTC):%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"


def project_run_id(project_id: int | str, now: datetime | None = None) -> str:
    """Return ``run_YYYYMMDD_HHMMSS_project_<id>``, UTC."""
    return f"run_{(now or datetime.now(UTC)).astimezone(UTC):%Y%m%d_%H%M%S}_project_{project_id}"


class RunPaths:
    """The files of one run, as paths below its directory. Creates nothing."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"RunPaths({str(self.root)!r})"

    def __fspath__(self) -> str:
        return str(self.root)

    @property
    def run_id(self) -> str:
        """Last part of the directory."""
        return self.root.name

    @property
    def framework(self) -> str:
        """The folder that holds the run."""
        return self.root.parent.name

    @property
    def journal(self) -> Path:
        """The append-only event journal."""
        return self.root / "events.jsonl"

    @property
    def post(self) -> Path:
        """What became known after the end."""
        return self.root / "post.jsonl"

    @property
    def metadata(self) -> Path:
        """Who, what, when, status."""
        return self.root / "metadata.json"

    @property
    def metrics(self) -> Path:
        """The fold of the journal."""
        return self.root / "metrics.json"

    @property
    def commit_text(self) -> Path:
        """Head, base, branch and diff metrics."""
        return self.root / "commit.txt"

    @property
    def summary_text(self) -> Path:
        """The summary for people."""
        return self.root / "logs_summary.txt"

    @property
    def summary_markdown(self) -> Path:
        """The summary for a pull request."""
        return self.root / "summary.md"

    @property
    def finalize_state(self) -> Path:
        """Which stage of the finalizer is done."""
        return self.root / "finalize.json"

    @property
    def lock(self) -> Path:
        """The liveness lock."""
        return self.root / ".lock"

    @property
    def control(self) -> Path:
        """The supervisor's socket."""
        return self.root / "control.sock"

    @property
    def reserve(self) -> Path:
        """Space set aside at the start, so that a full disk still takes the final status."""
        return self.root / ".reserve"

    @property
    def secrets(self) -> Path:
        """Salted digests of secrets that the processes of the run held, for a finalizer that does not know them."""
        return self.root / ".secrets.json"

    @property
    def losses(self) -> Path:
        """What could not be recorded, by process; gone once the journal tells of it."""
        return self.root / ".losses"

    @property
    def ignore(self) -> Path:
        """Keeps a live run out of ``git status``."""
        return self.root / ".gitignore"

    @property
    def archive(self) -> Path:
        """The verified archive."""
        return self.root / "run.tar.gz"

    @property
    def logs(self) -> Path:
        """All logs."""
        return self.root / "logs"

    @property
    def output_index(self) -> Path:
        """When which bytes of the output arrived."""
        return self.logs / "output.idx"

    @property
    def csv(self) -> Path:
        """This run's rows."""
        return self.root / "csv"

    @property
    def issues(self) -> Path:
        """Issue reports."""
        return self.root / "issues"

    def step_logs(self, step: int | None) -> Path:
        """Folder of a step's logs; the log folder itself outside steps."""
        return self.logs if step is None else self.logs / f"step_{step:03d}"

    def component_log(self, step: int | None, component: str) -> Path:
        """Log of a component in a step; outside steps ``run.log``, except the command's output and reconciliation."""
        check_name("component", component)
        if component == "reconciliation":
            return self.logs / "reconciliation.log"
        if step is None and component not in ("stdout", "stderr"):
            return self.logs / "run.log"
        return self.step_logs(step) / f"{component}.log"

    def issue_file(self, issue: int | str, kind: str) -> Path:
        """``issue_<id>_<kind>.json``; the id percent-encoded, and of a long one the beginning, ``+`` and a hash."""
        return self.issues / f"issue_{_issue_stem(str(issue))}_{kind}.json"


def _issue_stem(issue: str) -> str:
    whole = quote(issue, safe="", errors="surrogatepass")
    if len(whole) <= _LONGEST_ISSUE:
        return whole
    import hashlib

    digest = hashlib.sha256(whole.encode()).hexdigest()[:24]
    begin = re.sub(r"%.?\Z", "", whole[: _LONGEST_ISSUE - 1 - len(digest)])
    return f"{begin}+{digest}"  # a plus sign of the id itself would be encoded
