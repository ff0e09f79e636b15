"""What recorders do when their process forks."""

from __future__ import annotations

import os
import threading
import warnings

from runwatch.sdk.forks import after_fork
from sdk_recording import Recording


class Thing:
    told = 0

    def tell(self) -> None:
        self.told += 1


def test_only_what_lives_is_told_and_only_in_the_child() -> None:
    kept, gone = Thing(), Thing()
    for thing in (kept, gone):
        after_fork(thing, Thing.tell)
    del gone, thing
    child = os.fork()
    if not child:
        os._exit(0 if kept.told == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert kept.told == 0


def test_a_fork_finds_no_thread_of_ours(recording: Recording) -> None:
    recording.emitter.emit("error", {"message": "starts the thread that syncs"})
    assert "runwatch-sync" in {thread.name for thread in threading.enumerate()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        child = os.fork()
    if not child:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert "runwatch-sync" not in {thread.name for thread in threading.enumerate()}
    assert recording.emitter.emit("error", {"message": "and starts it again"})
    assert "runwatch-sync" in {thread.name for thread in threading.enumerate()}
