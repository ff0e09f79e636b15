"""The garbage collector rests while the app starts, and never for good."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from runwatch.tui import collector


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    collector.wake()
    gc.unfreeze()
    gc.enable()


def test_what_was_made_during_the_rest_is_never_looked_at_and_what_comes_after_is_collected() -> None:
    collector.rest()
    assert not gc.isenabled()
    collector.wake()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_without_a_rest_waking_changes_nothing() -> None:
    frozen = gc.get_freeze_count()
    collector.wake()
    assert gc.get_freeze_count() == frozen
    gc.disable()
    collector.rest()
    collector.wake()
    assert not gc.isenabled(), "who switched the collector off before us wants it off"


def test_resting_loads_nothing_of_the_app() -> None:
    script = "import sys; from runwatch.tui import collector; collector.rest(); sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
