"""``runwatch init``: ignore rules and a commented configuration.

Must not replace a configuration that is there.
"""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: cd my-project && runwatch init")
def command() -> int:
    """Write the ignore rules that let git track the five summary files, and a commented runwatch.toml."""
    from runwatch.journal.atomic import write_atomic
    from runwatch.runs.place import write_ignore_rules
    from runwatch.settings.writing import default_text
    from runwatch.vcs import find_work_tree

    root = find_work_tree(Path.cwd()) or Path.cwd()
    rules = write_ignore_rules(root)
    click.echo(f"{rules.path.name}: {rules.what}", err=True)
    configuration = root / "runwatch.toml"
    if configuration.exists():
        click.echo(f"{configuration.name}: is there already", err=True)
    else:
        write_atomic(configuration, default_text().encode(), mode=0o644)
        click.echo(f"{configuration.name}: written, every key a comment", err=True)
    return 0
