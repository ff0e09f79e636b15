"""What the system refuses is one sentence, whatever it names."""

from __future__ import annotations

import errno
import os

import pytest

from runwatch.cli.main import _of_the_system


@pytest.mark.parametrize(("name", "shown"), [("a.txt", "a.txt: "), (b"\xe4.txt", "\udce4.txt: "), (7, "7: ")])
def test_a_refusal_names_the_file_however_the_system_calls_it(name: object, shown: str) -> None:
    sentence = _of_the_system(OSError(errno.EACCES, os.strerror(errno.EACCES), name))
    assert sentence.startswith(f"{shown}Permission denied; ")
