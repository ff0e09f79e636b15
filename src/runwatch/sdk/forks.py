"""What happens to recorders when their process forks.

Must hold nothing alive: an object that nobody uses is not called.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from runwatch.events import codec

_children: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
_T = TypeVar("_T")


def after_fork(thing: _T, call: Callable[[_T], None]) -> None:
    """Call ``call(thing)`` in every child that is forked while ``thing`` lives.

    Where it has a method ``before_fork``, the parent calls that first.
    """
    _children[thing] = call


def _before() -> None:
    for thing in list(_children):
        if hasattr(thing, "before_fork"):
            thing.before_fork()


def _in_child() -> None:
    for thing, call in list(_children.items()):
        call(thing)


os.register_at_fork(before=_before, after_in_child=_in_child)
os.register_at_fork(
    before=codec.looking.acquire, after_in_parent=codec.looking.release, after_in_child=codec.looking.release
)
