"""``runwatch serve``: metrics and health over HTTP, until it is asked to end."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from runwatch.cli.where import runs_here, settings_here
from runwatch.errors import UsageError

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_INTERRUPTED = 130


@click.command(epilog="Example: runwatch serve --port 9100")
@click.option("--port", type=int, help="TCP port; 0: any free one. Default: [serve] port, 8000.")
@click.option("--host", help="Address to listen on. Default: [serve] host, 127.0.0.1.")
@click.option("--token-file", help="File with the bearer token that clients must send.")
@click.option("--runs-dir", help="The runs folder.")
def command(port: int | None, host: str | None, token_file: str | None, runs_dir: str | None) -> int:
    """Serve /metrics for Prometheus and /health, of live and recent runs."""
    from runwatch.cli.looking import look_after
    from runwatch.runs.listing import run_directories
    from runwatch.serve.server import Service

    settings = settings_here()
    asked = settings.serve.port if port is None else port
    if not 0 <= asked <= 65535:
        raise UsageError(f"{asked} is no TCP port: choose one from 1 to 65535, or 0 for any.")
    token = settings.serve.token if token_file is None else _token(token_file)
    root = runs_here(runs_dir)
    service = Service(root, settings, host=host or settings.serve.host, port=asked, token=token)
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # before there are threads, so that none of them gets one
    service.start()
    look_after(run_directories(root))
    url = service.http.url
    click.echo(f"runwatch: serving {root} at {url}/metrics and {url}/health; Ctrl-C ends it.", err=True)
    number = signal.sigwait(_ENDING)
    service.http.close()
    return _INTERRUPTED if number == signal.SIGINT else 0


def _token(name: str) -> str:
    try:
        token = Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The token file {name} cannot be read ({error}): name one that holds the token.") from error
    if not token:
        raise UsageError(f"The token file {name} is empty: write the token into it.")
    return token
