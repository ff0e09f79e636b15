"""No secret that a run met reaches git, wherever it stood, and whoever finalizes the run.

What is searched is what git holds: every object of the repository, and the message.
"""

from __future__ import annotations

import gzip
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


LOADED = {
    "ON_THE_LINE_PASSWORD": "given" + "ontheline",
    "FLAG": "behind" + "aflag99",
    "SCRIPT_PASSWORD": "exported" + "inascript",
    "FILE_PASSWORD": "loaded" + "fromafile",
    "VAULT_PASSWORD": "fetched" + "fromavault",
    "EMITTER_TOKEN": "that" + "emithasalone",
    "JOINED_TOKEN": "set" + "inaprogram",
}
"""Secrets that runwatch was not given, by how the command comes by them; words, so that no shape tells them."""

SCRIPT = """
export SCRIPT_PASSWORD=exportedinascript
fetched=fetchedfroma
echo "refused $ON_THE_LINE_PASSWORD behindaflag99 $SCRIPT_PASSWORD $(cut -d= -f2 .env)" >&2
VAULT_PASSWORD="${fetched}vault" sh -c '
    echo "vault said no to $VAULT_PASSWORD" >&2
    for i in $(seq 600); do grep -qs VAULT_PASSWORD "$RUNWATCH_RUN_DIR/.secrets.json" && break; sleep 0.05; done'
"$PYTHON" - <<'END'
import os, subprocess, sys
from runwatch import RunLogger
value = "thatemit" + "hasalone"
emit = [sys.executable, "-m", "runwatch.cli.main", "emit", "error", "error_type=E", "message=sent " + value]
subprocess.run(emit, env=os.environ | {"EMITTER_TOKEN": value}, check=True)
with RunLogger() as run:
    run.issue(7, "rotates " + "setin" + "aprogram")
    os.environ["JOINED_TOKEN"] = "setin" + "aprogram"
    run.emit("tool.completed", dict(tool="t", success=False, duration_s=1.0, error=os.environ["JOINED_TOKEN"]))
    print("program:", os.environ["JOINED_TOKEN"], file=sys.stderr)
END
exit 3
"""


def test_what_the_command_loads_for_itself_reaches_git_no_more_than_what_runwatch_was_given(tmp_path: Path) -> None:
    place = repository(tmp_path / "place")
    (place / ".env").write_text(f"FILE_PASSWORD={LOADED['FILE_PASSWORD']}\n")
    (place / "run.sh").write_text(SCRIPT)
    command = ["env", f"ON_THE_LINE_PASSWORD={LOADED['ON_THE_LINE_PASSWORD']}", "sh", "run.sh"]
    done = record(*command, "--db-pass", LOADED["FLAG"], "port-8080", cwd=place, env={"PYTHON": sys.executable})
    assert done.done.returncode == 3, done.done.stderr
    run = run_dir(place)
    held = in_git(place) + "".join(path.read_text() for path in [*run.glob("issues/*"), *place.glob("runs/**/*.csv")])
    for name, secret in LOADED.items():
        assert secret in done.done.stderr.decode() + (run / "events.jsonl").read_text(), f"{name} was never said"
        assert secret not in held, name
    marks = [f"[redacted:env:{name}]" for name in LOADED if name != "FLAG"] + ["[redacted:flag]"]
    assert [mark for mark in marks if mark not in held] == []
    assert "vault said no to [redacted" in held, "what stands around a secret stays"
    assert "port-8080" in held
    assert (run / ".secrets.json").stat().st_mode & 0o777 == 0o600
    assert '"known_secrets":' in (run / "events.jsonl").read_text(), "else nobody would miss them"
    assert b".secrets.json" not in gzip.decompress((run / "run.tar.gz").read_bytes())
    again = runwatch("finalize", "--from", "fold", run.name, cwd=place)
    assert again.returncode == 0, again.stderr
    assert not any(secret in in_git(place) for secret in LOADED.values())


def test_who_recovers_a_run_without_its_environment_publishes_none_of_it(tmp_path: Path) -> None:
    place = repository(tmp_path / "place")
    (place / ".env").write_text(f"FILE_PASSWORD={LOADED['FILE_PASSWORD']}\n")
    emit = f"{sys.executable} -m runwatch.cli.main emit error error_type=E message="
    said = "$SERVICE_TOKEN, $ON_THE_LINE_PASSWORD, $(cut -d= -f2 .env), $TOLD_TOKEN"
    script = f'TOLD_TOKEN=$(echo told-by-emit-1); export TOLD_TOKEN; {emit}"sent {said}, refused"; echo $$ > pid'
    command = ["env", f"ON_THE_LINE_PASSWORD={LOADED['ON_THE_LINE_PASSWORD']}"]
    environment = {**os.environ, "SERVICE_TOKEN": OF_THE_ENVIRONMENT}
    process = start(*command, "sh", "-c", f"{script}; touch there; exec sleep 100", cwd=place, env=environment)
    pids = [process.pid]
    try:
        wait_for(lambda: (place / "there").exists() and (run_dir(place) / ".secrets.json").exists(), "the run")
        wait_for(lambda: b"FILE_PASSWORD" in (run_dir(place) / ".secrets.json").read_bytes(), "the recorder")
        pids.append(int((place / "pid").read_text()))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        pids += map(int, children)
    finally:
        for pid in dict.fromkeys(pids):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)
    (place / ".env").unlink()
    remembered = (run_dir(place) / ".secrets.json").read_text()
    wait_for(lambda: runwatch("recover", cwd=place).returncode == 0, "the recovery")
    held = in_git(place)
    secrets = [OF_THE_ENVIRONMENT, *map(LOADED.get, ("ON_THE_LINE_PASSWORD", "FILE_PASSWORD")), "told-by-emit-1"]
    for secret in secrets:
        assert secret is not None
        assert secret in (run_dir(place) / "events.jsonl").read_text()
        assert secret not in remembered
        assert secret not in held
    for name in ("SERVICE_TOKEN", "ON_THE_LINE_PASSWORD", "FILE_PASSWORD", "TOLD_TOKEN"):
        assert f"[redacted:env:{name}]" in held
