"""Threads of ours that no signal interrupts.

The kernel gives a process's signal to any thread that takes it; Python's handlers run in the main thread alone, which
goes on waiting in a lock or a semaphore when another thread was given the signal. Must not start a program: it would
inherit the mask.
"""

from __future__ import annotations

import signal
import threading

_FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
"""Of the thread's own making: these must reach it."""


def start(thread: threading.Thread) -> None:
    """Start ``thread`` with every signal blocked. Raises RuntimeError while the interpreter leaves."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _FAULTS)
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
