"""The entry point: which commands there are, and how errors become one sentence and an exit code.

Must import no command before it is called, so that ``--help`` starts in a blink.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

import click

from runwatch.errors import RunwatchError, UsageError
from runwatch.journal.descriptors import hold_standard
from runwatch.version import VERSION

RUN_WRONG_USE = 125
"""Exit code of ``runwatch run`` for wrong use: its other codes are the command's."""

COMMANDS = {
    "run": "Record a command as a run.",
    "watch": "Open the app on a live or finished run.",
    "demo": "Record a small real workload and show all of it.",
    "ls": "List the newest runs.",
    "show": "Print one run's summary.",
    "logs": "Print a run's logs, merged by time.",
    "emit": "Append one event to the run at hand.",
    "step": "Close the step that the last `runwatch step` opened and open the next.",
    "stop": "Ask a live run to stop.",
    "wait": "Wait for a run's end and return its command's exit code.",
    "finalize": "Finalize a run, commit included.",
    "recover": "Finalize every run whose owner is gone, commit included.",
    "verify": "Check a run's archive against its hash and its own listing.",
    "extract": "Get files back from a run's archive.",
    "prune": "Delete the runs and archives that the limits do not keep.",
    "reconcile": "Hold a run's tokens and cost against a provider's usage export.",
    "serve": "Serve metrics for Prometheus and health over HTTP.",
    "doctor": "Say what here would keep a run from being recorded or committed.",
    "init": "Write the ignore rules and a commented runwatch.toml.",
}
"""Command to its line in ``--help``; the module that holds it has the same name."""


class Commands(click.Group):
    """Loads a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of ``--help``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"runwatch.cli.{cmd_name}_command")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return what the words ask for; name the nearest command for one that there is not."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            meant = f"did you mean `runwatch {near[0]}`?" if near else "`runwatch --help` lists them."
            raise UsageError(f"There is no command {args[0]!r}: {meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: runwatch run -- python experiment.py",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(VERSION, message="runwatch %(version)s")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Watch a long run live, and keep a summary that a reviewer reads in the pull request."""
    ctx.obj = {"debug": debug}


def main() -> None:
    """Run one command and exit."""
    hold_standard()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are one sentence on stderr."""
    words = [word for word in arguments if not word.startswith("-")]
    wrong_use = RUN_WRONG_USE if words[:1] == ["run"] else 2
    try:
        code = cli.main(args=arguments, prog_name="runwatch", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return wrong_use
    except click.ClickException as error:
        _say(_remedied(error))
        return wrong_use
    except RunwatchError as error:
        if "--debug" in arguments:
            raise
        _say(error.sentence)
        return wrong_use if isinstance(error, UsageError) else error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # The reader left; what Python flushes at its exit must not complain about that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except OSError as error:
        if "--debug" in arguments:
            raise
        _say(_of_the_system(error))
        _drop_output()
        return wrong_use if words[:1] == ["run"] else 1
    except MemoryError:  # which leaves no room for anything but this
        os.write(2, b"runwatch: there is no memory left: raise `ulimit -v` or close some programs.\n")
        return wrong_use if words[:1] == ["run"] else 1
    except Exception as error:  # the top of the program: nothing else may reach the user as a traceback
        if "--debug" in arguments:
            raise
        _say(f"{type(error).__name__}: {error}; `runwatch --debug …` shows where.")
        return 1


def _of_the_system(error: OSError) -> str:
    """Return what the system refused, and what to do about it; without a file's name it was the output."""
    why = error.strerror or str(error) or type(error).__name__
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
        return f"the output cannot be written ({why}): send it to a place that has room for it."
    name = error.filename  # a number where a descriptor stood for the file
    where = "" if name is None else f"{os.fsdecode(name) if isinstance(name, bytes) else name}: "
    return f"{where}{why}; mend that and try again, `runwatch --debug …` shows where it happened."


def _drop_output() -> None:
    """Give up what could not be written, so that Python does not complain of it once more at its exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _remedied(error: click.ClickException) -> str:
    """Return what click complains about, with what to do about it where click says nothing."""
    said = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None or "Did you mean" in said:
        return said
    return f"{said} `{context.command_path} --help` shows how it is used."


def _say(sentence: str) -> None:
    """Write one sentence of runwatch's own to stderr, control characters made visible."""
    from runwatch.visible import visible

    click.echo(f"runwatch: {visible(sentence)}", err=True)


if __name__ == "__main__":
    main()
