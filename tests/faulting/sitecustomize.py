"""Faults inside the finalizer, for the fault matrix: loaded by every Python whose PYTHONPATH names this folder.

Does nothing but in a recorder, and there only what FAULT_AT asks for: ``kill STAGE`` or ``signals STAGE``.
"""

import os
import signal
import sys

_WISH = os.environ.get("FAULT_AT", "").split()
_POLITE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def _once(what):
    """Whether this is the first time, over all processes of the run."""
    try:
        os.close(os.open(os.path.join(os.environ["FAULT_NOTES"], what), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _install(deed, wanted):
    from runwatch.finalize import stages

    original = stages.Finalizer._do

    def do(self, name):
        if name == wanted and deed == "signals":
            for number in _POLITE:
                os.kill(os.getppid(), number)
                os.kill(os.getpid(), number)
            _once("sent")
        if name == wanted and deed == "kill":
            if _once("before"):
                os.kill(os.getpid(), signal.SIGKILL)
            if _once("behind"):  # done, but nobody has noted so
                act = getattr(self, f"_stage_{name}")

                def killed():
                    act()
                    os.kill(os.getpid(), signal.SIGKILL)

                setattr(self, f"_stage_{name}", killed)
        original(self, name)

    stages.Finalizer._do = do


if _WISH and "runwatch.record.recorder" in sys.orig_argv:
    _install(*_WISH)
