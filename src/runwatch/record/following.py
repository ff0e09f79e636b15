"""A recorder whose run was renamed or moved: it begins again there, as the same process.

Must not decide anything about the run. All that a recorder knows of a run's place goes back to one path, and what it
knows of its journal can be read again: so nothing is left that could still mean the old name.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable

import msgspec

from runwatch.finalize.state import Outcome
from runwatch.finalize.whereabouts import repository_of
from runwatch.journal.held import HeldDirectory
from runwatch.journal.paths import RunPaths
from runwatch.record.stopping import ASKING
from runwatch.settings import Settings

NOWHERE = "none"


def repository_id(paths: RunPaths) -> str:
    """Return which repository takes a run's commit, whatever that is called: device and inode of its git folder."""
    found = repository_of(paths)
    try:
        state = os.stat(found.git_dir) if found is not None else None
    except OSError:
        state = None
    return NOWHERE if state is None else f"{state.st_dev}:{state.st_ino}"


def settings_there(
    settings: Settings, options: argparse.Namespace, paths: RunPaths, say: Callable[[str], object]
) -> Settings:
    """Return the settings, without a commit where the run was moved into a repository not its own, and say that."""
    if options.began == paths.root or repository_id(paths) in (NOWHERE, options.repository):
        return settings
    what = "the run was moved into another repository and is not committed there"
    say(f"runwatch: {what}: `runwatch finalize {paths.run_id} --from commit` does it.")
    return msgspec.structs.replace(settings, commit=msgspec.structs.replace(settings.commit, mode="off"))


def begin_again(held: HeldDirectory, options: argparse.Namespace, told: Outcome | None) -> None:
    """Replace this process by a recorder of the run where it lies now; ``told``: how it ended, where that is known.

    Returns only where that cannot be. The kernel drops the locks meanwhile: the owner still holds its own.
    """
    program, environment = held.program()
    argv = [program, "-P", "-m", "runwatch.record.recorder", str(held.where())]
    for name in ("owner", "command", "began", "said", "repository"):
        argv += [f"--{name}", str(getattr(options, name))]
    argv += [f"--{name}" for name in ("alone", "talk") if getattr(options, name)]
    if told is not None:
        argv += ["--end", msgspec.json.encode(told).decode()]
    former = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)  # as the keeper starts one
    try:
        with held.inheritable() as number:
            os.execve(program, [*argv, "--held", number], environment)
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
