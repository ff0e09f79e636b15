"""What the scripted agent works with: its run, its repository, its tools, its model and its loggers.

Must not know the order of the work: the steps do.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from runwatch import RunLogger, get_logger, tool
from runwatch.demo import git_cli
from runwatch.demo.model import StandIn
from runwatch.demo.pace import Pace
from runwatch.demo.registry import TaskRegistry
from runwatch.demo.scratch import REGISTRY
from runwatch.demo.story import Edit, Story


class RepairFailed(Exception):
    """The script has no further repair, and the pipeline still fails."""


class Bench:
    """Everything at hand, made once for a run."""

    def __init__(self, run: RunLogger, repository: Path, story: Story, pace: Pace) -> None:
        self.run = run
        self.repository = repository
        self.story = story
        self.pace = pace
        self.model = StandIn(run, pace, story.roles)
        self.registry = TaskRegistry(repository / REGISTRY)
        self.orchestrator = _logger("orchestrator")
        self.adapter = _logger("adapter")
        self.metrics = _logger("metrics")
        self.validator = _logger("validator")

    # --- talking

    def say(self, text: str) -> None:
        """Print a line of the agent's own."""
        print(text, flush=True)
        self.pace.rest(0.05)

    def complain(self, text: str) -> None:
        """Print a line on stderr."""
        print(text, file=sys.stderr, flush=True)

    def ask(self, scene: str, material: str = "", *, role: str | None = None, **facts: object) -> str:
        """Play a scene: ask each of its questions, and return the last answer."""
        answer = ""
        for line in self.story.talk[scene]:
            question, answer = line.ask.format_map(facts), line.answer.format_map(facts).strip()
            who = role or line.role
            self.adapter.debug("%s asks: %s", who, question, extra={"scene": scene})
            self.model.ask(who, question, material, answer)
            self.adapter.info("%s hears: %s", who, _beginning(answer), extra={"scene": scene})
        if self.model.requests % 10 < len(self.story.talk[scene]):
            used = {"requests": self.model.requests, "tokens": self.model.tokens}
            self.metrics.info("%(requests)d requests, %(tokens)d tokens so far", used, extra=used)
        return answer

    # --- tools

    @tool("list_files")
    def list_files(self) -> list[str]:
        """Return the files that git tracks."""
        self.pace.rest(0.05)
        return git_cli.run(self.repository, "ls-files").splitlines()

    @tool("read_file")
    def read_file(self, name: str) -> str:
        """Return a file's text. Raises OSError."""
        self.pace.rest(0.03)
        return (self.repository / name).read_text(encoding="utf-8")

    @tool("write_file")
    def write_file(self, name: str, text: str) -> None:
        """Write a file."""
        self.pace.rest(0.06)
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @tool("git_commit")
    def commit(self, message: str, names: list[str], who: str) -> str:
        """Commit these files as one of the agents, unless they are as before; return the head's object id."""
        self.pace.rest(0.08)
        git_cli.run(self.repository, "add", "--", *names)
        if git_cli.run(self.repository, "status", "--porcelain", "--", *names):
            author = f"{who} agent (scripted) <{who}@example.invalid>"
            git_cli.run(self.repository, "commit", "--quiet", f"--author={author}", "-m", message, "--", *names)
        return self.head()

    @tool("git_diff")
    def diff(self, *arguments: str) -> str:
        """Return a diff."""
        self.pace.rest(0.04)
        return git_cli.run(self.repository, "diff", *arguments)

    def head(self) -> str:
        """Return the object id of the branch's head."""
        return git_cli.run(self.repository, "rev-parse", "HEAD")

    def edit(self, edit: Edit) -> None:
        """Make one replacement; text that is not there is told of and left alone, and the tests will judge."""
        text = self.read_file(edit.file)
        old, new = edit.old.removeprefix("\n"), edit.new.removeprefix("\n")
        if text.count(old) != 1:
            self.adapter.warning("the edit of %s does not fit: its text is there %d times", edit.file, text.count(old))
            return
        self.write_file(edit.file, text.replace(old, new))


def _logger(component: str) -> logging.Logger:
    logger = get_logger(f"demo.{component}", component)
    logger.setLevel(logging.DEBUG)
    # What the agent shows on its console it prints; its logs are for the record.
    logger.propagate = False
    return logger


def _beginning(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= 100 else line[:99] + "…"
