"""A real run directory with an open journal, as the recorders of one process see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runwatch.sdk import active, opening
from runwatch.sdk.context import scope_var
from sdk_recording import Recording


@pytest.fixture(autouse=True)
def _no_context() -> Iterator[None]:
    """No test inherits the place of another one."""
    token = scope_var.set(None)
    memory = active.memory()
    memory.logs, memory.run_id = None, None
    yield
    scope_var.reset(token)


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    """A run of this process, open and the newest."""
    wish = opening.Wish(framework="unit", run_id=None, project_id=None, runs_dir=tmp_path / "runs", config={})
    started = opening.start(wish)
    active.opened(started.emitter)
    yield Recording(started.emitter)
    active.ended(started.emitter)
    started.emitter.close()
    assert started.lock is not None
    started.lock.close()
