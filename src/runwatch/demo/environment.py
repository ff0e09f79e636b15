"""What of the caller's environment the demo's processes may see.

Must not change the environment of this process. A hook, a test run or a CI job leaves variables behind that would
turn the demo's git, pytest or recorder to the caller's own repository, options or run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_OTHERS = ("GIT_", "RUNWATCH_", "LLM_", "OTEL_", "PYTEST_", "COVERAGE_", "COV_CORE_", "GITHUB_", "GITLAB_")
"""Beginnings of the names of variables that belong to another repository, run, model, test run or CI job."""
_PYTHON = (
    "PYTHONWARNINGS",
    "PYTHONOPTIMIZE",
    "PYTHONINSPECT",
    "PYTHONSTARTUP",
    "PYTHONVERBOSE",
    "PYTHONDEBUG",
    "PYTHONPROFILEIMPORTTIME",
)
"""What would change how the package's tests run, such as assertions left out; PYTHONPATH may be how we are found."""
_GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}
"""The scratch repository has an identity of its own; nobody's signing key, hook or template is asked for."""


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the demo's processes."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_OTHERS) and name not in _PYTHON}
    if "PYTHONPATH" in kept:  # the demo's processes work in other folders than the caller's
        kept["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, filter(None, kept["PYTHONPATH"].split(os.pathsep))))
    return kept | _GIT


def for_pytest(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the package's tests: no plugin but pytest's own, lines of 80 columns."""
    return clean(environ) | {
        "COLUMNS": "80",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
