"""Which line sets what."""

from __future__ import annotations

import pytest

from runwatch.settings.lines import line_of

TEXT = """\
top = 1
[run]
mode = "x"   # mode = 2
 framework= "a"
#runs_dir = "no"
[tool.runwatch."tui"]  # [limits]
theme = '''
'''
commit.mode = 1
[[keys]]
"logs.search" = "slash"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("run",), 2),
        (("run", "mode"), 3),
        (("run", "framework"), 4),
        (("run", "runs_dir"), 2),
        (("tool", "runwatch", "tui", "theme"), 7),
        (("tool", "runwatch", "tui", "commit", "mode"), 9),
        (("keys", "logs.search"), 11),
        (("limits", "stop"), None),
    ],
)
def test_a_key_is_found_on_its_line_or_at_its_table(path: tuple[str, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line
    assert line_of(TEXT.replace("\n", "\r\n"), path) == line
