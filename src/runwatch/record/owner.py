"""Whether the process that owns a run still lives, as its recorder sees it.

Must not end or start anything. A number alone may be another process's by now: the parent's is compared, or held open.
"""

from __future__ import annotations

import os


class Owner:
    """A supervisor, a guardian, or the program itself where its guardian is gone."""

    def __init__(self, pid: int, *, parent: bool) -> None:
        """``parent``: it started us, so that its death shows in our parent's number too."""
        self.pid, self._parent = pid, parent
        try:
            self.fd: int | None = os.pidfd_open(pid)
            """Becomes readable when the process ends; None where the system has no such thing, or no such process."""
        except (AttributeError, OSError):
            self.fd = None

    def is_gone(self, ready: set[int]) -> bool:
        """Whether it has ended; ``ready`` are the descriptors that can be read."""
        if self._parent:
            return self.fd in ready or os.getppid() != self.pid
        if self.fd is not None:
            return self.fd in ready
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
