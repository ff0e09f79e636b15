"""What a forge says of a branch: its pipeline, failed jobs, coverage, merge request. The seam, and its values.

Must not import a client library, wait, or try again: who asks decides how patient to be.
"""

from __future__ import annotations

import io
import math
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from runwatch.errors import RunwatchError
from runwatch.sources import coverage

FINAL = frozenset({"success", "failed", "canceled", "skipped", "timeout"})
"""States of a pipeline that has ended."""
MOST_ARTIFACT_BYTES = 64 * 1024 * 1024
"""A larger artifact, packed or unpacked, is not looked into."""
_REPORTS = (".json", ".xml", ".info", ".lcov")


class ForgeError(RunwatchError):
    """A forge that did not answer the question. ``is_lasting``: asking again does not help."""

    def __init__(self, sentence: str, *, is_lasting: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.is_lasting = is_lasting
        self.retry_after_s = retry_after_s
        """Seconds that it asked to be left alone."""


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """One CI attempt as it stands."""

    pipeline_id: int | str
    """The forge's id."""
    status: str
    """One of FINAL; anything else goes on."""
    commit_sha: str | None = None
    """What it runs on."""
    triggered_by: str | None = None
    """Login of the person or bot, else the kind of event."""
    rerun: int = 1
    """Which try at the same pipeline, from 1."""
    started_at: str | None = None
    """RFC 3339."""
    ended_at: str | None = None
    """RFC 3339."""
    queued_s: float | None = None
    """Seconds it waited for a runner."""
    duration_s: float | None = None
    """Seconds it ran."""


class FailedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that made its pipeline fail."""

    name: str
    """As the pipeline calls it."""
    reason: str | None = None
    """What kind of failure, in the forge's word."""


class MergeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The newest merge request (GitLab) or pull request (GitHub) of a branch."""

    state: Literal["open", "merged", "closed"]
    """closed: without having been merged."""
    url: str | None = None
    """Where it can be seen."""


class PipelineProvider(Protocol):
    """Who is asked about pipelines. Methods may be coroutines; what they raise is tried again, then recorded."""

    def latest_pipeline(self, branch: str) -> Pipeline | None:
        """Return the newest pipeline of a branch, None where it has none."""

    def pipeline(self, pipeline_id: int | str) -> Pipeline:
        """Return a pipeline as it stands now."""

    def failed_jobs(self, pipeline_id: int | str) -> Sequence[FailedJob]:
        """Return the jobs that failed and were not allowed to."""

    def coverage(self, pipeline_id: int | str) -> float | None:
        """Return the test coverage in percent that the pipeline measured, or that its artifacts hold; else None."""

    def merge_request(self, branch: str) -> MergeRequest | None:
        """Return the newest merge request from a branch, None where there is none."""


def missing(forge: str) -> RunwatchError:
    """Return the error for a client library that is not installed."""
    return RunwatchError(
        f"{forge} is asked through a package that is not here: `pip install 'runwatch[forge]'` adds it."
    )


def explain(forge: str, what: str, status: int | None, said: str, retry_after: str | None = None) -> ForgeError:
    """Return the error for an answer of ``status``, or for no answer at all (None)."""
    said = " ".join(said.split())[:200]
    if status == 401:
        return ForgeError(f"{forge} refuses the token (401) for {what}: set one that may read it.", is_lasting=True)
    if status == 404:
        remedy = "check its name, and that the token may read it"
        return ForgeError(f"{forge} does not know {what} (404): {remedy}.", is_lasting=True)
    if status == 429 or (status == 403 and (retry_after is not None or "rate limit" in said.lower())):
        wait_s = _seconds(retry_after)
        return ForgeError(f"{forge} asks for fewer requests ({status}) for {what}: wait.", retry_after_s=wait_s)
    if status is not None and 400 <= status < 500 and status not in (408, 409, 425):
        return ForgeError(f"{forge} refuses {what} ({status}: {said}): check token and name.", is_lasting=True)
    answer = "did not answer" if status is None else f"failed ({status})"
    return ForgeError(f"{forge} {answer} for {what}: {said or 'try again later'}.", retry_after_s=_seconds(retry_after))


def coverage_in(archive: bytes) -> float | None:
    """Return the percent of the first coverage report in a zip archive, one named like it first; None without any."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed, tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report"
            for member in sorted(
                packed.infolist(), key=lambda each: ("cov" not in each.filename.lower(), each.filename)
            ):
                if not member.filename.lower().endswith(_REPORTS) or member.file_size > MOST_ARTIFACT_BYTES:
                    continue
                path.write_bytes(packed.read(member))
                try:
                    return float(coverage.read(path)["percent"])
                except coverage.NoReport:
                    continue
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        pass  # torn, encrypted or packed in a way that is not known: it holds nothing for us
    return None


def _seconds(text: str | None) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, as a number or an HTTP date. **Source**: RFC 9110, 10.2.3."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
