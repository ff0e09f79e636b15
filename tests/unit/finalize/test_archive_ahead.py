"""The archive made while the run goes on: the same as one made at the end, whatever happens meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import msgspec
import pytest

from runwatch.errors import RecordError, VerifyError
from runwatch.finalize import ahead, archive, archive_ledger, archive_part
from runwatch.finalize.ahead import Ahead
from runwatch.finalize.archive_ledger import Ledger, Piece, Source
from runwatch.finalize.archive_read import read_listing

OLD = (1_700_000_000.7, 1_700_000_000.7)
PIECE = 1 << 16


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a test's files have many pieces."""
    for module in ("archive_part", "archive_write", "ahead"):
        monkeypatch.setattr(f"runwatch.finalize.{module}.PIECE_BYTES", PIECE)
    monkeypatch.setattr(ahead, "OPEN_BYTES", 3 * PIECE)
    monkeypatch.setattr("runwatch.finalize.archive_write.CHUNK_BYTES", PIECE // 4)


def put(run: Path, name: str, data: bytes, *, settled: bool = True) -> Path:
    path = run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if settled:
        os.utime(path, OLD)
    return path


def text(seed: int, size: int) -> bytes:
    """Log-like bytes, the same for every call."""
    chosen = random.Random(seed)
    line = b'{"ts":"2026-11-21T01:31:%02d","msg":"call %d","n":%d}\n'
    made = b"".join(line % (n % 60, chosen.randrange(999), chosen.randrange(10**9)) for n in range(size // 50 + 1))
    return made[:size]


def a_run(root: Path, steps: int = 3) -> Path:
    run = root / "runs/f/r1"
    put(run, "events.jsonl", b'{"type":"run.started"}\n' * 50)
    for step in range(1, steps + 1):
        put(run, f"logs/step_{step:03d}/stdout.log", text(step, 5 * PIECE // 2))
        put(run, f"logs/step_{step:03d}/adapter.log", text(100 + step, 700))
    return run


def content(run: Path) -> dict[str, bytes]:
    """Name to content of what must be in the archive."""
    files = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    return {name: data for name, data in files.items() if not name.startswith("run.tar.gz")}


def check(run: Path) -> None:
    """The finished archive holds the run, for every way of looking at it, and nothing is left over."""
    archive.create(run)
    report = archive.confirm(run / "run.tar.gz", run)
    assert report is not None
    assert report == archive.verify(run / "run.tar.gz", source=run)
    with tarfile.open(run / "run.tar.gz", "r|gz") as tar:
        found = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]  # all are files
    assert found.pop("r1/manifest.json")
    assert found == {f"r1/{name}": data for name, data in content(run).items()}
    assert len(read_listing(run / "run.tar.gz").manifest.members) == len(found)
    archive.forget(run)
    assert [path.name for path in run.iterdir() if path.name.startswith("run.tar.gz")] == ["run.tar.gz"]


def work(maker: Ahead) -> int:
    """Let it do all it can; return how often it worked."""
    rounds = 1
    while maker.work():
        rounds += 1
        assert rounds < 500
    return rounds


def ledger(run: Path) -> list[Piece]:
    opened = Ledger(os.open(run / archive_ledger.NAME, os.O_RDWR), "r1")
    opened.close()
    return opened.pieces


def names(run: Path) -> list[str]:
    return [entry.member.name for piece in ledger(run) for entry in piece.entries]


def test_closed_steps_are_in_before_the_end_and_the_archive_is_the_same(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    maker = Ahead(run)
    maker.open_step(3)
    for step in (1, 2):
        maker.close_step(step)
    work(maker)
    maker.close()
    assert names(run) == [f"logs/step_00{step}/{name}.log" for step in (1, 2) for name in ("adapter", "stdout")]
    before = (run / "run.tar.gz.part").stat().st_size
    check(run)
    plain = a_run(tmp_path / "plain")
    archive.create(plain)
    assert before > (plain / "run.tar.gz").stat().st_size / 2
    listed = [sorted(read_listing(each / "run.tar.gz").manifest.members, key=str) for each in (run, plain)]
    assert listed[0] == listed[1]


def test_a_file_that_was_written_to_just_now_is_left_alone(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=1)
    late = put(run, "logs/step_001/late.log", b"late\n" * 100, settled=False)
    maker = Ahead(run)
    maker.close_step(1)
    work(maker)
    assert "logs/step_001/late.log" not in names(run)
    os.utime(late, OLD)
    work(maker)
    assert "logs/step_001/late.log" in names(run)
    maker.close()
    check(run)


@pytest.mark.parametrize("change", ["grown", "rewritten", "touched", "replaced", "deleted"])
@pytest.mark.parametrize("when", ["while it runs", "at the end"])
def test_what_was_taken_for_closed_and_changed_is_done_again(tmp_path: Path, change: str, when: str) -> None:
    run = a_run(tmp_path)
    maker = Ahead(run)
    for step in (1, 2, 3):
        maker.close_step(step)
    work(maker)
    log = run / "logs/step_002/stdout.log"
    data = log.read_bytes()
    if change == "grown":
        put(run, "logs/step_002/stdout.log", data + b"late\n")
    elif change == "rewritten":
        log.write_bytes(data[:1000] + b"#" + data[1001:])
        os.utime(log, OLD)
    elif change == "touched":
        os.utime(log, (1_700_000_100, 1_700_000_100))
    elif change == "replaced":
        put(run, "other", data).rename(log)
    else:
        log.unlink()
    if when == "while it runs":
        work(maker)
        kept = names(run)
        assert kept[:2] == ["logs/step_001/adapter.log", "logs/step_001/stdout.log"]
        assert ("logs/step_002/stdout.log" in kept) == (change != "deleted")
        assert "logs/step_003/stdout.log" in kept
    maker.close()
    check(run)


def test_a_byte_changed_behind_the_clock_s_back_shows_in_the_checksum(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    maker = Ahead(run)
    for step in (1, 2, 3):
        maker.close_step(step)
    work(maker)
    maker.close()
    log = run / "logs/step_002/stdout.log"
    data = log.read_bytes()
    log.write_bytes(data[:1000] + b"#" + data[1001:])
    _forge_states(run)
    archive.create(run)
    _forge_states(run)
    check(run)


def _forge_states(run: Path) -> None:
    """Make the ledger believe that every file's length, times and inode are those that were archived."""
    path = run / archive_ledger.NAME
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines[1:], 1):
        piece = msgspec.json.decode(line, type=Piece)
        entries = tuple(
            msgspec.structs.replace(entry, source=Source.of((run / entry.member.name).stat()))
            for entry in piece.entries
        )
        lines[number] = msgspec.json.encode(msgspec.structs.replace(piece, entries=entries))
    path.write_bytes(b"\n".join(lines) + b"\n")


def test_a_source_that_changes_after_the_archive_was_made_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    log = run / "logs/step_002/stdout.log"
    data = log.read_bytes()
    put(run, "logs/step_002/stdout.log", data + b"a survivor\n")
    report = archive.confirm(run / "run.tar.gz", run)
    assert report is not None
    assert report.grown == ("logs/step_002/stdout.log",)
    put(run, "logs/step_002/stdout.log", data[:1000] + b"#" + data[1001:])
    with pytest.raises(VerifyError, match=r"step_002/stdout\.log has changed"):
        archive.confirm(run / "run.tar.gz", run)
    log.unlink()
    with pytest.raises(VerifyError, match=r"step_002/stdout\.log cannot be compared"):
        archive.confirm(run / "run.tar.gz", run)


def test_a_flipped_byte_anywhere_in_what_was_made_ahead_is_caught_and_mended(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=2)
    maker = Ahead(run)
    maker.open_step(2)
    maker.close_step(1)
    work(maker)
    maker.close()
    part = run / "run.tar.gz.part"
    whole = part.read_bytes()
    book = (run / archive_ledger.NAME).read_bytes()
    chosen = random.Random(5)
    for at in [0, 9, 10, *(chosen.randrange(len(whole)) for _ in range(15)), len(whole) - 1]:
        part.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        (run / archive_ledger.NAME).write_bytes(book)
        archive.create(run, is_handed_over=True)  # nobody reads it before the end
        with pytest.raises(VerifyError):
            archive.confirm(run / "run.tar.gz", run)
        with pytest.raises(VerifyError):
            archive.verify(run / "run.tar.gz")
        (run / "run.tar.gz").unlink()
        part.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        (run / archive_ledger.NAME).write_bytes(book)
        archive.create(run)
        archive.verify(run / "run.tar.gz", source=run)
        (run / "run.tar.gz").unlink()


def test_a_new_helper_goes_on_behind_the_last_good_piece(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    maker = Ahead(run)
    for step in (1, 2, 3):
        maker.close_step(step)
    work(maker)
    maker.close()
    part, book = run / "run.tar.gz.part", run / archive_ledger.NAME
    whole, lines = part.read_bytes(), book.read_bytes()
    pieces = ledger(run)
    chosen = random.Random(7)
    for number in range(25):
        cut_part, cut_book = chosen.randrange(len(whole)), chosen.randrange(len(lines))
        kind = number % 4
        torn = whole[:cut_part] if kind == 0 else whole
        if kind == 1:  # a power cut: the length was written, the content was not
            torn = whole[:cut_part] + bytes(len(whole) - cut_part)
        part.write_bytes(torn + (b"left behind" if kind == 2 else b""))
        book.write_bytes(lines[:cut_book] if kind in (2, 3) else lines)
        maker = Ahead(run)
        kept = len(ledger(run))
        assert kept <= len(pieces)
        if kind in (0, 1):
            assert kept == sum(piece.end_bytes <= cut_part for piece in pieces)
        for step in (1, 2, 3):
            maker.close_step(step)
        work(maker)
        maker.close()
        assert sorted(names(run)) == sorted(
            f"logs/step_00{n}/{name}.log" for n in "123" for name in ("adapter", "stdout")
        )
    check(run)


def test_a_file_still_open_is_begun_and_its_length_filled_in_at_the_end(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=0)
    log = put(run, "logs/stdout.log", text(1, 4 * PIECE + 100))
    maker = Ahead(run)
    work(maker)
    assert [piece.is_header for piece in ledger(run)] == [True, False, False, False, False]
    for number in range(2, 5):
        with log.open("ab") as file:
            file.write(text(number, PIECE))
        work(maker)
    assert len(ledger(run)) == 8
    maker.close()
    with log.open("ab") as file:
        file.write(b"the last line")
    check(run)
    assert (run / "run.tar.gz").stat().st_size > archive_part.PIECE_BYTES


def test_an_open_file_of_a_step_that_closes_is_finished_at_once(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=1)
    log = put(run, "logs/step_002/stdout.log", text(2, 4 * PIECE), settled=False)
    maker = Ahead(run)
    maker.close_step(1)
    maker.open_step(2)
    work(maker)
    assert ledger(run)[-1].going_on is not None
    with log.open("ab") as file:
        file.write(b"the end")
    maker.close_step(2)
    work(maker)
    assert ledger(run)[-1].going_on is None
    assert names(run)[-1] == "logs/step_002/stdout.log"
    maker.close()
    check(run)


def test_an_open_file_gives_way_to_closed_ones_that_are_more(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=0)
    put(run, "logs/stdout.log", text(1, 4 * PIECE))
    maker = Ahead(run)
    work(maker)
    assert ledger(run)[-1].going_on is not None
    put(run, "logs/step_001/stdout.log", text(2, 3 * PIECE))
    maker.close_step(1)
    work(maker)
    assert names(run) == []
    put(run, "logs/step_002/stdout.log", text(3, 2 * PIECE))
    maker.close_step(2)
    work(maker)
    assert names(run) == ["logs/step_001/stdout.log", "logs/step_002/stdout.log"]
    assert ledger(run)[-1].going_on is None  # what lies outside the steps would keep them waiting
    maker.close()
    check(run)


@pytest.mark.parametrize("change", ["truncated", "rewritten", "replaced", "deleted"])
def test_an_open_file_that_is_no_more_what_was_archived_of_it_is_done_again(tmp_path: Path, change: str) -> None:
    run = a_run(tmp_path, steps=0)
    log = put(run, "logs/stdout.log", text(1, 5 * PIECE))
    maker = Ahead(run)
    work(maker)
    if change == "truncated":
        os.truncate(log, 100)
        work(maker)
        assert ledger(run) == []
    elif change == "rewritten":
        put(run, "logs/stdout.log", b"#" + log.read_bytes()[1:])
    elif change == "replaced":
        put(run, "other", b"another").rename(log)
    else:
        log.unlink()
    maker.close()
    check(run)


def test_a_log_that_went_on_in_the_next_file_is_closed(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=0)
    for name in ("stdout", "stdout.1", "stdout.2", "stderr"):
        put(run, f"logs/{name}.log", text(len(name), 1000))
    maker = Ahead(run)
    work(maker)
    assert names(run) == ["logs/stdout.1.log", "logs/stdout.log"]
    maker.close()
    check(run)


def test_with_little_room_on_the_disk_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(tmp_path)
    maker = Ahead(run)
    maker.close_step(1)
    work(maker)
    monkeypatch.setattr(ahead, "FREE_BYTES", 1 << 62)
    with pytest.raises(RecordError, match="has no room"):
        maker.work()
    maker.close()
    assert [path.name for path in run.iterdir() if path.name.startswith("run.tar.gz")] == []
    check(run)


def test_links_planted_under_its_names_lead_nowhere(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    victim = tmp_path / "victim"
    for plant in ("symlink_to", "hardlink_to"):
        for name in ("run.tar.gz.part", archive_ledger.NAME):
            victim.write_bytes(b"precious")
            getattr(run / name, plant)(victim)
            maker = Ahead(run)
            maker.close_step(1)
            work(maker)
            maker.close()
            check(run)
            assert victim.read_bytes() == b"precious"


KILLED = """
import sys
from pathlib import Path
from runwatch.finalize import ahead, archive, archive_part, archive_write
for module in (archive_part, archive_write, ahead):
    module.PIECE_BYTES = 1 << 16
run = Path(sys.argv[1])
if sys.argv[2] == "ahead":
    maker = ahead.Ahead(run)
    for step in (1, 2, 3, 4):
        maker.close_step(step)
    print("ready", flush=True)
    while maker.work():
        pass
else:
    print("ready", flush=True)
    archive.create(run)
    archive.confirm(run / "run.tar.gz", run)
"""


def test_killed_at_any_instant_any_number_of_times_it_ends_the_same(tmp_path: Path) -> None:
    run = a_run(tmp_path, steps=4)
    chosen = random.Random(11)
    for number in range(12):
        what = "ahead" if number < 7 else "end"
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(run), what], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(chosen.uniform(0, 0.02))  # how far it comes is the point; any distance must do
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    check(run)


def test_two_at_once_do_not_write_into_one_part(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    code = "import sys; from runwatch.finalize.archive_part import Part; from pathlib import Path\n"
    code += "part = Part(Path(sys.argv[1]), 'r1'); print('held', flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(RecordError, match="Another process is making"):
            archive_part.Part(run, "r1", wait_s=0.05)
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()
    check(run)
