"""Any value as something JSON can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from runwatch.sdk.plain import one_line, plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.frozensets(st.integers()),
)


@given(VALUES)
def test_whatever_it_is_it_can_be_encoded(value: Any) -> None:
    msgspec.json.encode(plain(value))


def test_what_holds_itself_ends() -> None:
    value: list[Any] = []
    value.append({"again": value})
    msgspec.json.encode(plain(value))


def test_a_container_that_raises_when_walked_is_text() -> None:
    class Broken(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            raise RuntimeError

        def __iter__(self) -> Iterator[str]:
            raise RuntimeError

        def __len__(self) -> int:
            return 1

        def __str__(self) -> str:
            return "broken"

    assert plain({"a": Broken()}) == {"a": "broken"}


def test_an_exception_is_one_line() -> None:
    assert one_line(ValueError("a\n  b")) == "ValueError: a b"
    assert one_line(ValueError()) == "ValueError"
    assert len(one_line(ValueError("x" * 9999))) == 500
