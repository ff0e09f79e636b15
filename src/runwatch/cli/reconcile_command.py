"""``runwatch reconcile``: what a run recorded against what is so, its usage or what became of its branch.

Must not compare or word anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runwatch.cli.where import pretty_json, run_names, settings_here, the_run
from runwatch.errors import RunwatchError, UsageError


@click.command(epilog="Example: runwatch reconcile @1 --usage usage.csv --only project_id=proj_1")
@click.argument("run", required=False, shell_complete=run_names)
@click.option("--usage", type=click.Path(path_type=Path), help="Usage or cost export of the provider, CSV or JSON.")
@click.option(
    "--only", multiple=True, metavar="COLUMN=VALUE", help="Only the export's rows with this value; repeatable."
)
@click.option("--merged", is_flag=True, help="Note instead which issues' branches were merged since.")
@click.option(
    "--forge", metavar="KIND:PROJECT", help="With --merged: ask gitlab:group/name or github:owner/name, not git."
)
@click.option("--issue", help="With --merged: this issue alone.")
@click.option("--agent", help="With --merged: the agent whose last attempt it is the truth about.")
@click.option("--json", "as_json", is_flag=True, help="What was found, as JSON.")
@click.option("--runs-dir", help="The runs folder.")
def command(run: str | None, runs_dir: str | None, as_json: bool, **options: Any) -> int:
    """Hold recorded tokens and cost against a provider's export, by model and day: exit code 0 agrees, 1 differs.

    With --merged: 0 when all were merged, 1 when not. RUN: path, run id, prefix, @1; else the newest.
    """
    if (options["usage"] is None) == (not options["merged"]):
        raise UsageError("reconcile wants --usage FILE or --merged: `runwatch reconcile --help` shows how it is used.")
    try:
        run_dir = the_run(run, runs_dir)
        return (_merged if options["merged"] else _usage)(run_dir, options, as_json=as_json)
    except UsageError:
        raise
    except RunwatchError as error:
        raise UsageError(error.sentence) from error  # exit code 1 says that they differ


def _usage(run_dir: Path, options: dict[str, Any], *, as_json: bool) -> int:
    from runwatch.finalize.reconciling import reconcile
    from runwatch.views.reconciliation import lines

    parts = [text.partition("=") for text in options["only"]]
    if not all(equals and name for name, equals, _ in parts):
        raise UsageError(f"--only {' '.join(options['only'])!r} is no COLUMN=VALUE: write --only project_id=proj_1.")
    only = {name: value for name, _, value in parts}
    found = reconcile(run_dir, options["usage"], settings_here(), only)
    click.echo(pretty_json(found) if as_json else "\n".join(lines(found)))
    for problem in found.problems:
        click.echo(f"runwatch: {problem}", err=True)
    return 0 if found.agrees else 1


def _merged(run_dir: Path, options: dict[str, Any], *, as_json: bool) -> int:
    from runwatch.finalize.outcomes import lines, look
    from runwatch.visible import visible

    ask = _forge(options["forge"]).merge_request if options["forge"] else None
    found = look(run_dir, settings_here(), issue=options["issue"], agent=options["agent"], ask=ask)
    click.echo(pretty_json(found) if as_json else "\n".join(map(visible, lines(found))))
    return 0 if all(one.state == "merged" for one in found) else 1


def _forge(named: str) -> Any:
    """Return the provider that ``--forge`` names, where CI's own variables say that it is."""
    import os

    kind, _, project = named.partition(":")
    if kind == "gitlab" and project:
        from runwatch.sources.forge_gitlab import GitLabProvider

        return GitLabProvider(project, url=os.environ.get("CI_SERVER_URL", "https://gitlab.com"))
    if kind == "github" and project:
        from runwatch.sources.forge_github import GitHubProvider

        return GitHubProvider(project, url=os.environ.get("GITHUB_API_URL", "https://api.github.com"))
    raise UsageError(f"--forge {named!r} is no forge: write gitlab:group/name or github:owner/name.")
