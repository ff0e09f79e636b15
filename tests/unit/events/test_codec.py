"""The wire form: a round trip for every type, foreign lines tolerated, torn lines salvaged."""

from __future__ import annotations

import threading
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwatch.events import TYPES, Unknown, Unreadable, build, codec, decode, encode, encode_any, salvage
from runwatch.events.envelope import Event

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
WHOLE = st.integers(min_value=-(2**53), max_value=2**53)
NUMBER = st.floats(-1e100, 1e100)
PLAIN = st.one_of(st.none(), st.booleans(), WHOLE, NUMBER, TEXT)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values of a field's type."""
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT, int: WHOLE, float: NUMBER, bool: st.booleans(), type(None): st.none(), Any: PLAIN,
    }  # fmt: skip
    if annotation in known:
        return known[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        kind, meta = arguments
        return st.integers(meta.ge, meta.le) if kind is int else st.floats(meta.ge, meta.le)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(TEXT, values(arguments[1]), max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return st.builds(annotation, **{key: values(kind) for key, kind in _hints(annotation).items()})
    return st.one_of(*(values(each) for each in arguments))


def _hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def numbers_of(cls: type[Event]) -> list[str]:
    """Return the fields of one type that hold a number."""
    kinds = {key: {kind, *typing.get_args(kind)} for key, kind in typing.get_type_hints(cls).items()}
    return [key for key, kind in kinds.items() if kind & {int, float} and str not in kind]


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    """Return events of one type, every field filled or absent."""
    fields = {key: values(kind) for key, kind in _hints(cls).items() if not key.startswith("__")}
    return st.builds(cls, **fields)


ANY_EVENT = st.sampled_from(sorted(TYPES)).flatmap(lambda name: events_of(TYPES[name]))


def test_every_type_of_the_specification_is_there() -> None:
    named = """
    run.started run.completed steps.planned step.started step.completed issue.started issue.completed
    agent.started agent.completed llm.started llm.retry llm.completed llm.priced tool.started
    tool.completed service.started service.completed service.retry service.health pipeline.started
    pipeline.completed debug.started debug.attempt debug.completed git.snapshot git.operation
    task.completed tasks.state dispatch.cycle coverage.measured tests.measured resource.sample
    hitl.requested hitl.answered verification.checked outcome.verified error alert.raised limit.reached
    metric.observed recorder.replaced degraded warning
    """.split()  # noqa: SIM905 - one list, as the specification has it
    assert set(named) <= set(TYPES)
    assert set(TYPES) - set(named) == {"run.configured", "status.proposed"}


@given(ANY_EVENT)
def test_an_event_comes_back_as_it_was_and_is_one_line_with_its_type_first(event: Event) -> None:
    line = encode(event)
    assert line.startswith(b'{"type":"')
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == event


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_field_of_every_type_has_a_docstring(name: str) -> None:
    import inspect

    source = inspect.getsource(TYPES[name])
    for field in TYPES[name].__annotations__:
        if not field.startswith("__"):
            after = source.split(f"\n    {field}: ", 1)[1].split("\n", 2)[1]
            assert after.strip().startswith('"""'), f"{name}.{field}"


def test_numbers_given_as_text_are_numbers_and_unknown_fields_are_kept() -> None:
    event = build("llm.completed", {"prompt_tokens": "12", "seed": 7})
    line = encode_any(event)
    assert b'"seed":7' in line
    assert decode(line).prompt_tokens == 12  # type: ignore[union-attr]


def test_a_value_that_cannot_be_meant_is_refused_with_type_and_field() -> None:
    with pytest.raises(Unreadable, match=r"llm\.completed: prompt_tokens must be a whole number, not text$"):
        build("llm.completed", {"prompt_tokens": "many"})


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_number_beyond_what_can_be_meant_is_unreadable_and_refused_in_every_field(name: str) -> None:
    least: dict[str, Any] = {
        "framework": "f", "run_id": "r", "status": "s", "question": "q", "ref": "r", "tool": "t", "service": "s",
        "pipeline_id": 1, "name": "n", "operation": "o", "rule": "r", "message": "m", "reason": "r", "what": "w",
        "healthy": True, "success": True, "percent": 1, "total": 1, "dropped": 1, "value": 1,
    }  # fmt: skip
    cls = TYPES[name]
    needed = {key: value for key, value in least.items() if key in cls.__struct_fields__}
    build(name, needed)
    for field in numbers_of(cls):
        for beyond in (10**200, -(10**200)):
            wire = {"type": name, **needed, field: beyond}
            if field == "step":  # the number alone is passed over
                assert decode(msgspec.json.encode(wire)) == build(name, needed)
            else:
                with pytest.raises(Unreadable, match=field):
                    decode(msgspec.json.encode(wire))
            with pytest.raises(Unreadable, match=field):
                build(name, {**needed, field: beyond})
            with pytest.raises(Unreadable, match=field):
                build(name, {**needed, field: float("nan")})


def test_an_unknown_type_is_kept_and_garbage_is_unreadable() -> None:
    assert decode(b'{"type":"tea.served","cups":2}') == Unknown(type="tea.served")
    for garbage in (b"", b"[1]", b"\xff\xfe", b'{"no":"type"}', b'{"type":"tool.started"}', b"[" * 100_000):
        with pytest.raises(Unreadable):
            decode(garbage)


@given(ANY_EVENT, ANY_EVENT, st.data())
def test_a_whole_line_glued_to_a_torn_one_is_salvaged(torn: Event, whole: Event, data: st.DataObject) -> None:
    first, second = encode(torn)[:-1], encode(whole)[:-1]
    cut = data.draw(st.integers(1, len(first) - 1))
    assert salvage(first[:cut] + second) == whole


def test_a_nested_object_with_a_type_is_not_taken_for_an_event() -> None:
    line = b'{"ty{"type":"metric.observed","name":"x","value":1.0,"labels":{"type":"tool.started"}}'
    found = salvage(line)
    assert found is not None
    assert found.name == "x"  # type: ignore[union-attr]


def test_only_one_thread_at_a_time_has_msgspec_look_into_a_type(monkeypatch: pytest.MonkeyPatch) -> None:
    # A second one that meets the type meanwhile ends the process with SIGSEGV.
    looking, go_on = threading.Event(), threading.Event()
    decoder = msgspec.json.Decoder

    def slowly(kind: Any, **options: Any) -> Any:
        looking.set()
        assert go_on.wait(60)
        return decoder(kind, **options)

    monkeypatch.setattr(codec, "_known", set())
    monkeypatch.setattr(codec, "_decoders", {})
    monkeypatch.setattr(msgspec.json, "Decoder", slowly)
    first = threading.Thread(target=build, args=("warning", {"ts": "2026-01-01T00:00:00Z", "message": "x"}))
    first.start()
    assert looking.wait(60)
    others = [
        threading.Thread(target=build, args=("warning", {"ts": "2026-01-01T00:00:00Z", "message": "x"})),
        threading.Thread(target=decode, args=(b'{"type":"warning","ts":"2026-01-01T00:00:00Z","message":"x"}',)),
    ]
    for other in others:
        other.start()
        other.join(0.2)
    waiting = [other.is_alive() for other in others]
    go_on.set()
    for thread in (first, *others):
        thread.join(60)
    assert waiting == [True, True]


@pytest.mark.parametrize("number", ["-5", "1000001", "99999999999", "99999999999999999999", '"-5"'])
def test_of_a_line_with_a_number_that_no_step_has_all_the_rest_counts(number: str) -> None:
    line = f'{{"type":"llm.retry","step":{number},"own":1,"attempt":2}}\n'.encode()
    assert decode(line) == build("llm.retry", {"attempt": 2})
    with pytest.raises(Unreadable):
        decode(line.replace(b'"attempt":2', b'"attempt":"many"'))
    with pytest.raises(Unreadable):
        decode(b'{"type":"tool.completed","tool":"t","step":"many"}')
