"""The process that archives ahead of the end, on the lowest priority; killed by the recorder, or with it.

Must not write anything but the archive in the making. Started by `ahead` as ``python -P -m
runwatch.record.ahead_process RUN_DIR RECORDER_PID``; told ``open N`` and ``close N`` on standard input.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runwatch.errors import RunwatchError

if TYPE_CHECKING:
    from runwatch.finalize.ahead import Ahead

PERIOD_S = 1.0
"""How often files are looked at while there is nothing to do."""
_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def main() -> int:
    """Archive until the recorder is gone or the disk is full."""
    root, recorder = Path(sys.argv[1]), int(sys.argv[2])
    _stand_back(recorder)
    from runwatch.finalize.ahead import Ahead  # only now: importing is work too

    try:
        ahead = Ahead(root)
        poll = select.poll()
        poll.register(0, select.POLLIN)
        more = False
        while True:
            if poll.poll(0 if more else PERIOD_S * 1000) and not _listen(ahead):
                return 0
            more = ahead.work()
    except (OSError, RunwatchError):
        return 1  # the finalizer finds what is there, and does the rest


def _stand_back(recorder: int) -> None:
    """Take the lowest priority, leave signals to the recorder, and die with it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(19)
    try:  # where the scheduler groups by session, being nice counts only among groups
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("19")
    except OSError:
        pass
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != recorder:
            sys.exit(0)  # it died before it could be waited for


def _listen(ahead: Ahead) -> bool:
    """Take the recorder's words; False when it is gone."""
    words = os.read(0, 1 << 16)
    for line in words.split(b"\n")[:-1]:
        verb, _, step = line.partition(b" ")
        if verb == b"close":
            ahead.close_step(int(step))
        else:
            ahead.open_step(int(step))
    return bool(words)


if __name__ == "__main__":
    sys.exit(main())
