"""``runwatch emit``: one event from a shell script.

Must not interpret the event beyond its type and the types of its fields.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import click

from runwatch.cli.where import the_run
from runwatch.errors import NotFound, RecordError, UsageError


@click.command(epilog="Example: runwatch emit llm.completed model=gpt-4o prompt_tokens=1200 completion_tokens=300")
@click.argument("type")
@click.argument("fields", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--run", "reference", help="The run; else the one that this process belongs to.")
def command(type: str, fields: tuple[str, ...], reference: str | None) -> int:
    """Append one event of TYPE to the run at hand. Values that are JSON are taken as JSON, others as text.

    Tokens and cost of an llm.completed may have any client's names, such as input_tokens.
    """
    from runwatch.events import Unreadable
    from runwatch.journal.paths import RunPaths
    from runwatch.journal.writer import EventWriter

    values = dict(_pair(field) for field in fields)
    paths = RunPaths(run_at_hand(reference))
    if not re.fullmatch(r"[A-Za-z][\w.-]{0,99}", type):
        raise UsageError(
            f"{type!r} is no type of event: write letters, digits, '.', '_' or '-', such as llm.completed."
        )
    if type in ("run.started", "run.completed"):
        raise UsageError(f"{type} is written by who records the run: emit status.proposed instead.")
    if "step" not in values and (step := _step_at_hand(paths)) is not None:
        values["step"] = step
    if type == "llm.completed":
        values = _call(values)
    tell_own_secrets(paths)
    writer = EventWriter(paths)
    try:
        if not writer.emit(type, **values):
            raise RecordError(f"The event could not be written to {paths.journal}: free space on its disk.")
        _tell_doubts(writer, type, values)
    except Unreadable as error:
        raise UsageError(f"{error}; {_remedy(str(error), values)}.") from None
    finally:
        writer.close()
    return 0


def run_at_hand(reference: str | None) -> Path:
    """Return the run that this process belongs to, or the one that is named. Raises NotFound, UsageError."""
    if reference is not None:
        return the_run(reference)
    directory = os.environ.get("RUNWATCH_RUN_DIR")
    if not directory:
        raise NotFound(
            "No run is at hand (RUNWATCH_RUN_DIR is unset): start one with `runwatch run -- CMD`, or use --run."
        )
    from runwatch.journal.held import where_joined

    run = where_joined(Path(directory))
    if not os.path.isfile(run / "events.jsonl"):  # unlike pathlib it takes any text for a path
        raise NotFound(f"RUNWATCH_RUN_DIR names {directory!r}, which holds no run: unset it or correct it.")
    return run


def tell_own_secrets(paths: Any) -> None:
    """Have the run know what this process's environment holds beyond that of the command: a script exported it."""
    from runwatch.secret_names import announced

    if found := announced(os.environ):
        from runwatch.journal.known_secrets import tell_own

        with contextlib.suppress(OSError):  # a full disk, or a run of somebody else's
            tell_own(paths, found)


def _pair(text: str) -> tuple[str, Any]:
    import msgspec

    key, separator, value = text.partition("=")
    if not separator or not key:
        raise UsageError(f"{text!r} is no KEY=VALUE: write for example model=gpt-4o.")
    try:
        return key, msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return key, value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _tell_doubts(writer: Any, type: str, values: dict[str, Any]) -> None:
    """Say what of the event is probably not meant, and have the run say it, too."""
    from runwatch.events.doubts import doubts
    from runwatch.visible import visible

    for doubt in doubts(type, values):
        click.echo(f"runwatch: {visible(doubt)}", err=True)
        writer.emit("warning", message=doubt[:1000], where="emit")


def _remedy(error: str, values: dict[str, Any]) -> str:
    """Return what to write instead of a value that is refused."""
    import shlex

    import msgspec

    for field, shape in re.findall(r"\b(\w+) must be (a list|an object)", error):
        given = values.get(field)
        example: object = [given if isinstance(given, str) else "a"] if shape == "a list" else {"name": "value"}
        written = shlex.quote(msgspec.json.encode(example).decode())
        return f"{shape} is written as JSON, such as {field}={written}"
    return "give it another value"


def _call(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a model call with tokens and cost under our names. Raises UsageError."""
    from runwatch.sdk.usage import NO_NAME, call_as_told
    from runwatch.visible import visible

    fields, wrong = call_as_told(values)
    for name, why in wrong.items():
        sentence = f"llm.completed: {name} is {why}; write for example prompt_tokens=1200 completion_tokens=300."
        if why != NO_NAME:
            raise UsageError(sentence)
        click.echo(f"runwatch: {visible(sentence)}", err=True)
    return dict(fields)


def _step_at_hand(paths: Any) -> int | None:
    """Return the step at hand: RUNWATCH_STEP, else what the supervisor says, else what the journal says."""
    from runwatch.journal.control import request
    from runwatch.journal.steps import step_at_hand

    pinned = os.environ.get("RUNWATCH_STEP", "")
    if pinned.isdigit():
        return int(pinned)
    reply = request(paths.control, {"op": "ping"})
    if reply is not None and reply.get("ok"):
        return reply.get("step")
    return step_at_hand(paths.journal)
