"""No secret that a run met reaches git, wherever it stood, and whoever finalizes the run.

What is searched is what git holds: every object of the repository, and the message.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from integration.recorded import git, record, repository, run_dir, runwatch, start, wait_for
from redaction_corpus import BASE32, made, shapes

SHAPES = shapes(seed=23)
OF_THE_ENVIRONMENT = "plain" + "letters" + "only"
GITHUB, OPENAI, SLACK = SHAPES["github-token"][0], SHAPES["openai-key"][1], SHAPES["slack-token"][0]
ANTHROPIC, GITLAB, KEY = SHAPES["anthropic-key"][0], SHAPES["gitlab-token"][0], SHAPES["private-key"][0]
AWS, OWN, TYPED = "AKIA" + made(16, BASE32, 23), "ACME-" + "1234", "type" + "dlater"

PROGRAM = """
import json, os, sys
from runwatch import RunLogger
s = json.load(open(sys.argv[1]))
with RunLogger(framework="x") as run:
    with run.step(name=f"deploy with {s['github']}"):
        run.emit("issue.started", dict(issue=s["gitlab"], title=f"rotate {s['aws']}"))
        run.emit("llm.completed", dict(provider="p", model=s["openai"], result="success", total_tokens=5))
        run.emit("tool.completed", dict(tool=s["slack"], success=False, duration_s=1.0, error=s["anthropic"]))
        run.emit("error", dict(error_type="Refused", message=json.dumps({"body": json.dumps({"k": s["github"]})})))
        run.emit("error", dict(error_type="Refused", message="sent " + os.getenv("SERVICE_TOKEN"), where=s["aws"]))
        run.emit("error", dict(error_type="Cut", message="word " * 797 + "w " * 3 + s["github"] + " tail"))
        run.emit("warning", dict(message="export LATER_TOKEN=" + s["typed"]))
        run.emit("hitl.requested", dict(question=f"may I use {s['own']}?"))
        print(f"+ curl -u me:{s['typed']} https://u:{s['typed']}@example.com", file=sys.stderr)
        print(s["key"], file=sys.stderr)
        print("%41KIA" + s["aws"][4:], file=sys.stderr, flush=True)
        raise SystemExit(3)
"""


def in_git(place: Path) -> str:
    """Return everything that git holds: all objects, and every message."""
    objects = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)", cwd=place)
    texts = [git("log", "--all", "--format=%B%an%ae%D", cwd=place)]
    for line in objects.splitlines():
        oid, kind = line.split()
        if kind == "blob":
            texts.append(git("cat-file", "blob", oid, cwd=place))
        elif kind == "tree":
            texts.append(git("ls-tree", oid, cwd=place))
    return "\n".join(texts)


def test_a_secret_reaches_git_from_nowhere(tmp_path: Path) -> None:
    place = repository(tmp_path / "place")
    (place / "runwatch.toml").write_text('[redact]\npatterns = ["ACME-\\\\d{4}"]\n')
    secrets = {"github": GITHUB, "openai": OPENAI, "slack": SLACK, "anthropic": ANTHROPIC, "gitlab": GITLAB}
    secrets |= {"aws": AWS, "own": OWN, "typed": TYPED, "key": KEY}
    (tmp_path / "secrets.json").write_text(json.dumps(secrets))
    done = record(
        sys.executable, "-c", PROGRAM, "../secrets.json", "--password", TYPED, f"--api-key={TYPED}",
        cwd=place, env={"SERVICE_TOKEN": OF_THE_ENVIRONMENT},
    )  # fmt: skip
    assert done.done.returncode == 3, done.done.stderr
    held = in_git(place)
    assert "[redacted:env:SERVICE_TOKEN]" in held
    assert "[redacted:pattern]" in held
    assert "[redacted:private-key]" in held
    for name, secret in (secrets | {"environment": OF_THE_ENVIRONMENT, "start": GITHUB[:12], "end": AWS[4:]}).items():
        for line in secret.splitlines():
            assert line.startswith("-----") or line not in held, name
    for path in ("metadata.json", "metrics.json"):
        json.loads((run_dir(place) / path).read_bytes())
    # The record itself is whole: nothing is taken out of what stays on this machine.
    assert OF_THE_ENVIRONMENT in (run_dir(place) / "events.jsonl").read_text()


def test_who_recovers_a_run_without_its_environment_publishes_none_of_it(tmp_path: Path) -> None:
    place = repository(tmp_path / "place")
    emit = f"{sys.executable} -m runwatch.cli.main emit error error_type=E message="
    script = f'{emit}"sent $SERVICE_TOKEN, refused"; echo $$ > pid; touch there; exec sleep 100'
    environment = {**os.environ, "SERVICE_TOKEN": OF_THE_ENVIRONMENT}
    process = start("sh", "-c", script, cwd=place, env=environment)
    pids = [process.pid]
    try:
        wait_for(lambda: (place / "there").exists() and (run_dir(place) / ".secrets.json").exists(), "the run")
        pids.append(int((place / "pid").read_text()))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        pids += map(int, children)
    finally:
        for pid in dict.fromkeys(pids):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert OF_THE_ENVIRONMENT not in (run_dir(place) / ".secrets.json").read_text()
    wait_for(lambda: runwatch("recover", cwd=place).returncode == 0, "the recovery")
    held = in_git(place)
    assert "[redacted:env:SERVICE_TOKEN]" in held
    assert OF_THE_ENVIRONMENT not in held
