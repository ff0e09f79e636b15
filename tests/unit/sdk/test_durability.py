"""When the journal is synced."""

from __future__ import annotations

import threading
import time

import pytest

from runwatch.sdk import deaf
from runwatch.sdk.durability import WINDOW_EVENTS, WINDOW_S, Syncer


class Disk:
    """Counts syncs and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.done = threading.Event()

    def sync(self) -> None:
        self.times.append(time.monotonic())
        self.done.set()


def test_one_event_is_synced_within_the_window_and_off_the_callers_thread() -> None:
    disk = Disk()
    syncer = Syncer(disk.sync)
    started = time.monotonic()
    syncer.wake(1)
    assert time.monotonic() - started < WINDOW_S / 2, "waking does not wait"
    assert disk.done.wait(30)
    assert disk.times[0] - started >= WINDOW_S * 0.9
    assert syncer.due == 1
    syncer.stop()


def test_without_a_thread_to_be_had_the_finalizer_is_left_to_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(deaf, "start", refuse)
    syncer = Syncer(Disk().sync)
    syncer.wake(1)
    syncer.hurry()
    syncer.stop()  # a program that ends must not fail for that


def test_a_hundred_events_do_not_wait_for_the_window() -> None:
    disk = Disk()
    syncer = Syncer(disk.sync)
    syncer.wake(1)
    started = time.monotonic()
    assert syncer.due == WINDOW_EVENTS
    syncer.wake(WINDOW_EVENTS)
    assert disk.done.wait(30)
    assert disk.times[0] - started < WINDOW_S * 0.9
    syncer.stop()


def test_stopping_syncs_a_last_time_and_the_next_event_starts_again() -> None:
    disk = Disk()
    syncer = Syncer(disk.sync)
    syncer.wake(1)
    before = threading.active_count()
    syncer.stop()
    assert disk.done.wait(30)
    assert threading.active_count() < before
    disk.done.clear()
    syncer.hurry()
    assert disk.done.wait(30)
    syncer.stop()


def test_many_threads_may_wake_at_once() -> None:
    disk = Disk()
    syncer = Syncer(disk.sync)
    threads = [threading.Thread(target=lambda: [syncer.wake(n) for n in range(300)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert disk.done.wait(30)
    syncer.stop()
