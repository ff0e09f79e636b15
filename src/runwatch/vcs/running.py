"""One git process under way: said to, listened to, waited for.

Must not know what the commands mean. Several of them stand ready side by side, so that their starts overlap.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from runwatch.errors import RunwatchError

TIMEOUT_S = 120.0
"""No command of ours takes that long unless it hangs."""


class GitError(RunwatchError):
    """A git command that failed; ``stderr`` is what it said."""

    def __init__(self, sentence: str, *, status: int | None = None, stderr: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.stderr = stderr


class GitTimeout(GitError):
    """A git command that took too long, and was killed with all that it started."""


class Running:
    """A started git command with pipes. In a ``with`` statement it has ended when the block has."""

    def __init__(self, process: subprocess.Popen[bytes], command: str, work_tree: Path) -> None:
        """``command`` is the git command's name, for errors."""
        self._process, self._command, self._work_tree = process, command, work_tree

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._ended()

    def say(self, text: bytes) -> None:
        """Write to its input. One that ended early is found out about by who listens."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def line(self) -> bytes:
        """Return the next line of its output, without its line feed. Raises GitError where it ended instead."""
        assert self._process.stdout is not None
        answer: bytes = self._process.stdout.readline()
        if not answer:
            _, err = self._ended()
            raise self.failure(err)
        return answer.rstrip(b"\n")

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes of its output, fewer where it ends."""
        assert self._process.stdout is not None
        data: bytes = self._process.stdout.read(size)
        return data

    def result(self, text: bytes | None = None, *, check: bool = True, timeout_s: float = TIMEOUT_S) -> str:
        """Say the last of its input and return the rest of its output, undecodable bytes as surrogates.

        Raises GitError where it fails, unless ``check`` is off, and where it takes longer than ``timeout_s``: it and
        what it started are killed then.
        """
        out, err = self._ended(text, timeout_s)
        if check and self._process.returncode != 0:
            raise self.failure(err)
        return os.fsdecode(out)

    def failure(self, err: bytes) -> GitError:
        """Return the error for its end, given what it said on stderr."""
        return failure(self._work_tree, self._command, self._process.returncode, err)

    def _ended(self, text: bytes | None = None, timeout_s: float = TIMEOUT_S) -> tuple[bytes, bytes]:
        try:
            return _exchange(self._process, text or b"", time.monotonic() + timeout_s)
        except TimeoutError:
            self._abandon()
            limit = f"{timeout_s:.0f} s"
            raise GitTimeout(f"git {self._command} in {self._work_tree} took more than {limit}.") from None

    def _abandon(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session, its helpers included; it was not waited for
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                _close(stream)


def _exchange(process: subprocess.Popen[bytes], text: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Do what ``communicate()`` does, but notice the end at once: with a time limit that sleeps half a millisecond.

    Raises TimeoutError.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    found = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    rest = memoryview(text)
    with selectors.DefaultSelector() as streams:
        for fd in found:
            streams.register(fd, selectors.EVENT_READ)
        if rest:
            streams.register(process.stdin, selectors.EVENT_WRITE)
        else:
            _close(process.stdin)
        while streams.get_map():
            for key, _ in _ready(streams, deadline):
                if key.fd in found:
                    data = os.read(key.fd, 1 << 16)
                    found[key.fd] += data
                    if not data:
                        streams.unregister(key.fd)
                    continue
                try:
                    rest = rest[os.write(key.fd, rest[: select.PIPE_BUF]) :]
                except BrokenPipeError:
                    rest = rest[:0]
                if not rest:
                    streams.unregister(process.stdin)
                    _close(process.stdin)
    out, err = map(bytes, found.values())
    process.stdout.close()
    process.stderr.close()
    _wait(process, deadline)
    return out, err


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:  # what was said before was never read
        pass


def _ready(streams: selectors.BaseSelector, deadline: float) -> list[tuple[selectors.SelectorKey, int]]:
    ready = streams.select(max(0.0, deadline - time.monotonic()))
    if not ready and time.monotonic() >= deadline:
        raise TimeoutError
    return ready


def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        fd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not on Linux, or an old one
        pass
    else:
        try:
            with selectors.DefaultSelector() as ended:
                ended.register(fd, selectors.EVENT_READ)
                _ready(ended, deadline)
        finally:
            os.close(fd)
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None


def failure(work_tree: Path, command: str, status: int | None, err: bytes) -> GitError:
    """Return the error for a command that ended with ``status`` and said ``err``."""
    said = os.fsdecode(err).strip()
    lines = said.splitlines()
    first = next((line for word in ("fatal:", "error:") for line in lines if line.startswith(word)), "".join(lines[:1]))
    return GitError(
        f"git {command} in {work_tree} failed ({status}): {first or 'no message'}", status=status, stderr=said
    )
