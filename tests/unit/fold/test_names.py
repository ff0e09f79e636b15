"""Names in a compact table find what a plain dict would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runwatch.fold.names import Names

LIMIT = 50
_WORDS = st.integers(0, 30).map(str)
_ACTS = st.lists(st.tuples(st.sampled_from(("add", "skip", "drop", "rename")), _WORDS), max_size=300)


@given(_ACTS)
def test_a_name_leads_to_the_last_thing_that_bears_it(acts: list[tuple[str, str]]) -> None:
    names, following = Names(LIMIT), 0
    expected: dict[str, int] = {}
    for act, word in acts:
        if act == "drop":
            names.drop(word)
            expected.pop(word, None)
        elif act == "rename":
            if following and following - 1 not in expected.values():
                names.set(following - 1, word)
                expected[word] = following - 1
        else:
            if act == "skip":
                names.skip(following)
            else:
                names.set(following, word)
                expected[word] = following
            following += 1
        expected = {name: number for name, number in expected.items() if number >= following - LIMIT}
        assert {name: names.find(name, following) for name in expected} == expected
        assert names.find("never", following) is None


def test_of_a_hundred_thousand_names_the_last_are_found_and_no_other() -> None:
    names, limit = Names(10_000), 10_000
    for number in range(100_000):
        names.set(number, f"c{number}")
    assert [names.find(f"c{number}", 100_000) for number in range(90_000, 100_000)] == list(range(90_000, 100_000))
    assert not any(names.find(f"c{number}", 100_000) for number in range(100_000 - limit - 5000, 100_000 - limit))
