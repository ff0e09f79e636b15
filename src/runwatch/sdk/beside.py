"""A plain call beside an event loop that must not wait for it.

Must not use the loop's own threads: a call that hangs would keep the program from ending.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def beside(call: Callable[[], Any]) -> asyncio.Future[Any]:
    """Start a plain call in a daemon thread; return the future of its answer in the running loop."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def tell(answer: Any, error: Exception | None) -> None:
        if not future.done():
            future.set_result(answer) if error is None else future.set_exception(error)

    def run() -> None:
        answer, error = None, None
        try:
            answer = call()
        except Exception as raised:  # noqa: BLE001 - handed on to who waits
            error = raised
        try:
            loop.call_soon_threadsafe(tell, answer, error)
        except RuntimeError:
            pass  # the loop has ended meanwhile

    threading.Thread(target=run, name="runwatch beside", daemon=True).start()
    return future


def waited(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end from plain code, in a loop of its own, in the caller's context.

    Where the caller is inside a running loop, that loop waits: it is what the caller asked for.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work()))
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
            failed.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="runwatch waited", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
