"""Calls of tools and external services, as events.

Must not count them, and must not change what the called thing returns or raises.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import time
import types
from collections.abc import Callable
from secrets import token_hex
from typing import Any, ParamSpec, Self, TypeVar, cast

from runwatch.sdk import active
from runwatch.sdk.core import Emitter
from runwatch.sdk.plain import one_line, text

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Call:
    """One call that is under way."""

    def __init__(self, kind: str, about: dict[str, Any]) -> None:
        """Begin it: ``<kind>.started``."""
        self._kind = kind
        self._about = {**about, "call_id": token_hex(6)}
        self._emitter: Emitter = active.emitter()
        self._attempt = 0
        self._started = time.monotonic()
        self._emitter.emit(f"{kind}.started", self._about)

    def retry(self, error: object, backoff_s: float | None) -> None:
        """``<kind>.retry``: an attempt failed and another one comes."""
        self._attempt += 1
        why = one_line(error) if isinstance(error, BaseException) else text(error)
        fields = {**self._about, "attempt": self._attempt, "backoff_s": backoff_s, "error": why}
        self._emitter.emit(f"{self._kind}.retry", fields)

    def end(self, error: BaseException | None) -> None:
        """``<kind>.completed``; a generator that nobody reads to its end has not failed."""
        if isinstance(error, GeneratorExit):
            error = None
        fields = {**self._about, "success": error is None, "duration_s": round(time.monotonic() - self._started, 6)}
        if error is not None:
            fields["error"] = one_line(error)
        self._emitter.emit(f"{self._kind}.completed", fields)


class _Block:
    """A context manager around calls; one object may be entered again, by itself and by many tasks and threads."""

    def __init__(self, kind: str, about: dict[str, Any]) -> None:
        self._kind = kind
        self._about = about
        self._calls: dict[object, list[Call]] = {}
        """Who began them, and the calls, the oldest first. Nobody touches another's list, so no lock is needed."""

    def _mine(self) -> list[Call]:
        """Return the caller's calls; another's where a task ends what it did not begin."""
        mine = self._calls.get(_caller())
        return mine or next((calls for calls in self._calls.copy().values() if calls), [])

    def __enter__(self) -> Self:
        self._calls.setdefault(_caller(), []).append(Call(self._kind, self._about))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        mine = self._mine()
        call = mine.pop() if mine else None
        if not self._calls.get(me := _caller(), True):
            del self._calls[me]
        if call is not None:
            call.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def _caller() -> object:
    """Return what tells the calling task or thread from the others; ``asyncio`` is not imported for it."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio is not None else None
    except (RuntimeError, AttributeError):  # no loop runs in this thread, or another one is importing asyncio
        task = None
    return threading.get_ident() if task is None else task


class tool(_Block):
    """A tool call: a decorator and a context manager, for plain and for asynchronous code.

    A call of a generator lasts from its first item to its end.
    """

    def __init__(self, name: str) -> None:
        super().__init__("tool", {"tool": text(name)})

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Record every call of ``function``."""
        about = self._about
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with tool(about["tool"]):
                    return await function(*args, **kwargs)

            return cast("Callable[_P, _R]", awaited)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def stepped(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with tool(about["tool"]):
                    return (yield from function(*args, **kwargs))

            return cast("Callable[_P, _R]", stepped)
        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def streamed(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with tool(about["tool"]):
                    inner = function(*args, **kwargs)
                    step = anext(inner)
                    try:
                        while True:
                            item = await step
                            try:
                                step = inner.asend((yield item))
                            except GeneratorExit:
                                raise
                            except BaseException as error:  # noqa: BLE001 - thrown in, and its to handle
                                step = inner.athrow(error)
                    except StopAsyncIteration:
                        return
                    finally:
                        await inner.aclose()

            return cast("Callable[_P, _R]", streamed)

        @functools.wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with tool(about["tool"]):
                return function(*args, **kwargs)

        return called


class service(_Block):
    """A call of an external service: a context manager, for plain and for asynchronous code."""

    def __init__(self, name: str, operation: str | None = None) -> None:
        super().__init__(
            "service", {"service": text(name), "operation": None if operation is None else text(operation)}
        )

    def retry(self, error: object, backoff_s: float | None = None) -> None:
        """Say that an attempt failed and will be made again after ``backoff_s`` seconds."""
        mine = self._mine()
        if mine:
            mine[-1].retry(error, backoff_s)
        else:
            active.emitter().warn(f"a retry of service {self._about['service']} outside its block", "service")
