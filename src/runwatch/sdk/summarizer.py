"""The summary of a run as a program asks for it, at any time.

Must not word anything about the run: the view of ``logs_summary.txt`` does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from runwatch.errors import RunwatchError
from runwatch.journal.paths import RunPaths
from runwatch.sdk import plain
from runwatch.sdk.given import folder, harmless
from runwatch.sdk.plain import text
from runwatch.sdk.trouble import say


class LogSummarizer:
    """The text summary of one run."""

    def __init__(self, run_id: str, framework: str, run_dir: str | os.PathLike[str]) -> None:
        """``run_id`` and ``framework`` stand in the summary where the run's own journal does not say them."""
        self.run_id, self.framework = text(run_id), text(framework)
        self._paths = RunPaths(folder(run_dir, "LogSummarizer run_dir"))

    @harmless("")
    def generate_summary(self, **more: Any) -> str:
        """Return the summary of the run as of now, and ``more`` at its end, a line each; nothing is written.

        Secrets are taken out. A run directory without a journal gives the summary of an empty run.
        """
        from runwatch.finalize.publish import Publisher, facts_of
        from runwatch.finalize.state import load_state
        from runwatch.journal.follow import Follower
        from runwatch.journal.writer import now_text
        from runwatch.views import summary_text
        from runwatch.views.layout import one_line, section

        paths = self._paths
        publisher = Publisher(paths, _settings(), os.environ)
        fold, follower = publisher.new_fold(), Follower(paths.journal)
        try:
            while lines := follower.read():
                for line in lines:
                    fold.feed_line(line, follower.offset)
        except OSError as error:
            say(f"{paths.journal} cannot be read ({error.strerror}): the summary ends where it was read to.")
        finally:
            follower.close()
        metrics = fold.metrics(now_text())
        metrics.run.run_id = metrics.run.run_id or self.run_id
        metrics.run.framework = metrics.run.framework or self.framework
        summary = summary_text.render(
            publisher.redacted(metrics), facts_of(paths, load_state(paths.finalize_state), {})
        )
        if not more:
            return summary
        rows = [f"  {one_line(name)}: {one_line(text(value))}" for name, value in more.items()]
        return self._redacted("\n".join([summary.rstrip("\n"), *section("More", rows)]) + "\n")

    def write_summary(self, text: str) -> Path:
        """Write ``text`` as the run's ``logs_summary.txt``, secrets taken out, and return its path.

        The end of the run writes its own there. What cannot be written is said on stderr.
        """
        from runwatch.journal.atomic import write_atomic

        path, said = self._paths.summary_text, plain.text(text)
        try:
            write_atomic(path, self._redacted(said).encode("utf-8", "backslashreplace"))
        except OSError as error:
            say(f"{path} cannot be written: {error.strerror}.")
        return path

    def _redacted(self, text: str) -> str:
        from runwatch.finalize.confidential import Confidential

        secrets = Confidential(self._paths, os.environ, _settings().redact.patterns)
        secrets.refresh()
        return secrets.redactor.text(text)


def _settings() -> Any:
    from runwatch.settings import Settings, load

    try:
        return load(Path.cwd(), os.environ)
    except (RunwatchError, OSError) as error:
        say(f"{error} The defaults are used.")
        return Settings()
