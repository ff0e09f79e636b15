"""The blocks of the pages in docs/, so that tests run and compare what the reader sees."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of one language on a page, in order."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no {language} block"
    return found


def json_blocks(page: str) -> list[Any]:
    """Return the values of a page's JSON blocks, in order."""
    return [json.loads(block) for block in blocks(page, "json")]
