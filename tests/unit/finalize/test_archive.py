"""The archive: what goes in, that every reader gets it back, and that no change goes unseen."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import shutil
import socket
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest

from runwatch.errors import NotFound, RecordError, UsageError, VerifyError
from runwatch.finalize import archive, deflate
from runwatch.finalize.archive import ArchiveOptions
from runwatch.finalize.archive_read import read_listing

ODD_NAME = os.fsdecode(b"caf\xe9 \n\xff.log")
LONG_NAME = "/".join(["logs", *["a folder with a long name " * 4] * 3, "x.log"])


def a_run(root: Path, *, files: dict[str, bytes] | None = None) -> Path:
    """A run directory with everything in it that an archive must take or leave."""
    run = root / "runs/f/r1"
    chosen = random.Random(1)
    content = {
        "metadata.json": b"{}\n",
        "events.jsonl": b'{"type":"run.started"}\n' * 5000,
        "logs/run.log": b"",
        "logs/step_001/stdout.log": chosen.randbytes(3_000_000),
        "logs/step_001/a.log": b"a line of a log\n" * 40_000,
        f"logs/{ODD_NAME}": b"odd\n",
        "logs/grüße.log": b"utf-8\n",
        LONG_NAME: b"long\n",
        "csv/runs.csv": b"a,b\n",
    }
    for name, data in (files if files is not None else content).items():
        path = run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_700_000_000.7, 1_700_000_000.7))
    return run


def files_of(run: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Name to content of every file below a run directory, the archive left out."""
    found = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name not in (*without, "run.tar.gz", "run.tar.gz.pieces")}


def read_with(tar: tarfile.TarFile) -> dict[str, bytes]:
    """Name to content of every member, one after the other."""
    found = {}
    for info in tar:
        assert (info.uid, info.gid, info.mode, info.isreg()) == (0, 0, 0o600, True)
        assert info.mtime == 1_700_000_000
        content = tar.extractfile(info)
        assert content is not None
        found[info.name.removeprefix("r1/")] = content.read()
    return found


@pytest.fixture(params=["isal", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two compressors."""
    name: str = request.param
    module = pytest.importorskip(f"{name}.isal_zlib" if name == "isal" else name)
    monkeypatch.setattr(deflate, "_library", lambda: (name, module))
    return name


def test_python_and_gnu_tar_read_it_in_full(tmp_path: Path, library: str) -> None:
    run = a_run(tmp_path)
    made = archive.create(run)
    path = run / "run.tar.gz"
    expected = files_of(run)
    for mode in ("r:gz", "r|gz"):
        with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is no literal here
            found = read_with(tar)
        listing = json.loads(found.pop("manifest.json"))
        assert found == expected
        assert made.members == len(found) + 1
        assert [entry["sha256"] for entry in listing["members"]] == [
            hashlib.sha256(found[name]).hexdigest() for name in sorted(found, key=os.fsencode)
        ]
    target = tmp_path / "by-gnu-tar"
    target.mkdir()
    subprocess.run(["tar", "--warning=no-unknown-keyword", "-xzf", str(path), "-C", str(target)], check=True)
    assert files_of(target / "r1", without=("manifest.json",)) == expected


def test_it_is_one_gzip_member_that_gzip_accepts(tmp_path: Path, library: str) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    raw = (run / "run.tar.gz").read_bytes()
    subprocess.run(["gzip", "-t", str(run / "run.tar.gz")], check=True)
    inflater = __import__("zlib").decompressobj(31)
    whole = inflater.decompress(raw)
    assert inflater.eof
    assert inflater.unused_data == b""
    assert whole == gzip.decompress(raw)


def test_the_result_says_what_is_on_disk_and_verify_agrees(tmp_path: Path, library: str) -> None:
    run = a_run(tmp_path)
    made = archive.create(run)
    raw = (run / "run.tar.gz").read_bytes()
    report = archive.verify(run / "run.tar.gz", source=run)
    assert (made.file, made.size_bytes) == ("run.tar.gz", len(raw))
    assert (report.file, report.size_bytes, report.members) == (made.file, made.size_bytes, made.members)
    assert report.sha256 == hashlib.sha256(raw).hexdigest()
    assert archive.confirm(run / "run.tar.gz", run) == report
    assert report.raw_bytes == sum(map(len, files_of(run).values()))
    assert report.grown == ()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    runs = [a_run(tmp_path / name) for name in "ab"]
    for run in (*runs, runs[1]):
        archive.forget(run)
        archive.create(run)
    assert (runs[0] / "run.tar.gz").read_bytes() == (runs[1] / "run.tar.gz").read_bytes()


def test_what_is_runwatch_s_own_and_what_is_temporary_stays_out(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    expected = files_of(run)
    for name in ("finalize.json", ".lock", "post.jsonl", ".gitignore", ".reserve", "run.tar.gz", "run.tar.gz.part"):
        (run / name).write_bytes(b"not me")
    (run / ".metrics.json.0123abcd.tmp").write_bytes(b"not me")
    (run / "logs/.x.json.0123abcd.tmp").write_bytes(b"not me")
    (run / "workspace").mkdir()
    (run / "workspace/model.bin").write_bytes(b"not asked for")
    archive.create(run)
    with tarfile.open(run / "run.tar.gz") as tar:
        assert set(read_with(tar)) == {*expected, "manifest.json"}
    assert not (run / "run.tar.gz.part").exists()


def test_workspace_and_artifacts_come_in_when_asked_but_for_what_fits_a_pattern(tmp_path: Path) -> None:
    names = ("workspace/a.py", "workspace/deep/b.bin", "workspace/cache/c.py", "artifacts/d.txt", "logs/e.bin")
    run = a_run(tmp_path, files=dict.fromkeys(names, b"x"))
    archive.create(run, options=ArchiveOptions(workspace=True, artifacts=True, exclude=("*.bin", "cache/*")))
    with tarfile.open(run / "run.tar.gz") as tar:
        assert set(read_with(tar)) == {"workspace/a.py", "artifacts/d.txt", "logs/e.bin", "manifest.json"}
    archive.create(run, options=ArchiveOptions(artifacts=True))
    with tarfile.open(run / "run.tar.gz") as tar:
        assert set(read_with(tar)) == {"artifacts/d.txt", "logs/e.bin", "manifest.json"}


def test_links_pipes_and_sockets_are_left_out_and_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_bytes(b"never")
    (run / "logs/link").symlink_to(tmp_path / "secret/key")
    (run / "logs/folder").symlink_to(tmp_path / "secret")
    (run / "logs/dangling").symlink_to("nowhere")
    os.mkfifo(run / "logs/pipe")
    (run / "manifest.json").write_bytes(b"a program's own")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(run / "logs/socket"))
        archive.create(run)
    assert b"never" not in gzip.decompress((run / "run.tar.gz").read_bytes())
    report = archive.verify(run / "run.tar.gz", source=run)
    assert [(entry.name, entry.reason) for entry in report.left_out] == [
        ("logs/dangling", "a symbolic link"),
        ("logs/folder", "a symbolic link"),
        ("logs/link", "a symbolic link"),
        ("logs/pipe", "no regular file"),
        ("logs/socket", "no regular file"),
        ("manifest.json", "the name of the archive's own listing"),
    ]


def test_a_run_with_no_file_at_all_gives_a_valid_archive(tmp_path: Path) -> None:
    run = a_run(tmp_path, files={})
    run.mkdir(parents=True)
    made = archive.create(run)
    assert made.members == archive.verify(run / "run.tar.gz", source=run).members == 1
    with tarfile.open(run / "run.tar.gz", "r|gz") as tar:
        assert tar.getnames() == ["r1/manifest.json"]


def test_a_file_that_grows_while_it_is_archived_is_taken_as_it_was_and_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    log = run / "logs/step_001/stdout.log"
    was = log.read_bytes()

    def grow(_: float) -> None:
        with log.open("ab") as file:
            file.write(b"more\n" * 1000)

    archive.create(run, progress=grow)
    assert archive.verify(run / "run.tar.gz", source=run).grown == ("logs/step_001/stdout.log",)
    with tarfile.open(run / "run.tar.gz") as tar:
        content = tar.extractfile("r1/logs/step_001/stdout.log")
        assert content is not None
        assert content.read().startswith(was)


def test_a_file_that_shrinks_while_it_is_archived_does_not_tear_the_archive(tmp_path: Path) -> None:
    run = a_run(tmp_path, files={"logs/a.log": b"a" * 5_000_000, "logs/b.log": b"b\n"})
    told = []

    def shrink(share: float) -> None:
        told.append(share)
        os.truncate(run / "logs/a.log", 10)

    archive.create(run, progress=shrink)
    assert 0 < told[0] < 0.5
    archive.verify(run / "run.tar.gz")
    with tarfile.open(run / "run.tar.gz", "r|gz") as tar:
        found = {info.name: info.size for info in tar}
    assert found["r1/logs/a.log"] == 5_000_000
    assert found["r1/logs/b.log"] == 2
    listed = read_listing(run / "run.tar.gz").manifest.members
    assert [entry.note for entry in listed] == ["shrank while it was read: filled up with NUL", None]
    with pytest.raises(VerifyError, match=r"logs/a\.log has changed"):
        archive.verify(run / "run.tar.gz", source=run)


def test_a_file_written_all_the_time_gives_an_archive_that_holds_together(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    stop = threading.Event()

    def write() -> None:
        with (run / "logs/step_001/a.log").open("ab", buffering=0) as file:
            while not stop.wait(0.0005):  # a writer without a pause would grow it by gigabytes on a slow machine
                file.write(b"another line\n" * 100)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            archive.create(run)
            archive.verify(run / "run.tar.gz", source=run)
    finally:
        stop.set()
        writer.join()


def test_a_source_that_changed_or_went_away_since_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    log = run / "logs/step_001/a.log"
    data = log.read_bytes()
    log.write_bytes(data[:70_000] + b"#" + data[70_001:])  # a byte in the middle: same size
    with pytest.raises(VerifyError, match=r"logs/step_001/a\.log has changed"):
        archive.verify(run / "run.tar.gz", source=run)
    log.unlink()
    with pytest.raises(VerifyError, match=r"logs/step_001/a\.log cannot be compared"):
        archive.verify(run / "run.tar.gz", source=run)
    archive.verify(run / "run.tar.gz")


def test_every_flipped_bit_of_a_small_archive_is_caught(tmp_path: Path, library: str) -> None:
    run = a_run(tmp_path, files={"events.jsonl": b'{"type":"x"}\n' * 50, "logs/run.log": b"hello\nworld\n", "e": b""})
    archive.create(run)
    path = run / "run.tar.gz"
    whole = path.read_bytes()
    archive.verify(path)
    start = read_listing(path).start_bytes
    for at in range(len(whole)):
        plain = start + 5 <= at < len(whole) - 30  # the listing's text: one bit of each byte will do
        for bit in [at % 8] if plain else range(8):
            flipped = bytearray(whole)
            flipped[at] ^= 1 << bit
            path.write_bytes(flipped)
            with pytest.raises(VerifyError):
                archive.verify(path)


def test_a_flipped_byte_in_a_large_archive_names_what_it_hit(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    path = run / "run.tar.gz"
    whole = path.read_bytes()
    chosen = random.Random(2)
    for at in [chosen.randrange(len(whole)) for _ in range(25)]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with pytest.raises(VerifyError, match=r"run\.tar\.gz"):
            archive.verify(path)


def test_a_cut_or_lengthened_archive_is_caught(tmp_path: Path) -> None:
    run = a_run(tmp_path, files={"logs/run.log": b"hello\n" * 1000})
    archive.create(run)
    path = run / "run.tar.gz"
    whole = path.read_bytes()
    for wrong in (b"", whole[:1], whole[:1150], whole[:-1], whole + b"\0", whole + whole, whole[: len(whole) // 2]):
        path.write_bytes(wrong)
        with pytest.raises(VerifyError):
            archive.verify(path)
    path.unlink()
    with pytest.raises(VerifyError, match="cannot be read"):
        archive.verify(path)


def test_a_listing_that_does_not_fit_the_members_is_caught(tmp_path: Path) -> None:
    """Archives whose own hashes all fit, made by somebody who wants to hide a file."""
    run = a_run(tmp_path, files={"logs/a.log": b"a\n", "logs/b.log": b"b\n"})
    archive.create(run)
    path = run / "run.tar.gz"
    for change, said in (
        (lambda members: members[:1], r"logs/b\.log is in it and not listed"),
        (lambda members: [*members, members[0] | {"name": "logs/c.log"}], r"logs/c\.log is listed and missing"),
        (lambda members: members[::-1], r"logs/a\.log stands where logs/b\.log is listed"),
        (lambda members: [members[0], members[1] | {"sha256": "0" * 64}], r"logs/b\.log differs"),
        (lambda members: [members[0], members[1] | {"size_bytes": 3}], r"logs/b\.log is no file of the 3 bytes"),
    ):
        archive.create(run)
        _forge(path, change)
        with pytest.raises(VerifyError, match=said):
            archive.verify(path)


def _forge(path: Path, change: object) -> None:
    """Rewrite the listing of an archive and everything that depends on it."""
    import zlib

    from runwatch.finalize.archive_tar import header, padding
    from runwatch.finalize.gzip_member import LAST_BLOCK, STORED_HEADER, TRAILER

    listing = read_listing(path)
    prefix = path.read_bytes()[: listing.start_bytes]
    raw = zlib.decompressobj(-15).decompress(prefix[10:])
    content = json.loads(listing.stored[512:].rstrip(b"\0"))
    content["members"] = change(content["members"])  # type: ignore[operator]  # one of the lambdas above
    data = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    stored = header("r1/manifest.json", len(data), 0) + data + padding(len(data))
    blocks = b"".join(
        STORED_HEADER.pack(0, len(block), len(block) ^ 0xFFFF) + block for block in (stored[:-1024], stored[-1024:])
    )
    whole = raw + stored + bytes(1024)
    path.write_bytes(prefix + blocks + LAST_BLOCK + TRAILER.pack(zlib.crc32(whole), len(whole)))
    assert gzip.decompress(path.read_bytes()) == whole


def test_an_archive_of_another_program_does_not_pass(tmp_path: Path) -> None:
    path = tmp_path / "run.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("r1/a")
        info.size = 5000
        tar.addfile(info, io.BytesIO(random.Random(3).randbytes(5000)))
    with pytest.raises(VerifyError, match="does not begin as runwatch's archives do"):
        archive.verify(path)


def test_a_listing_longer_than_a_stored_block_is_read_back(tmp_path: Path) -> None:
    run = a_run(tmp_path, files={f"logs/step_{number:03d}/a component's.log": b"x\n" for number in range(1500)})
    archive.create(run)
    assert len(read_listing(run / "run.tar.gz").stored) > 2 * 65535
    assert archive.verify(run / "run.tar.gz", source=run).members == 1501


def test_an_archive_that_cannot_be_written_says_so_and_leaves_the_old_one(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    was = (run / "run.tar.gz").read_bytes()
    (run / "run.tar.gz.part").mkdir()
    with pytest.raises(RecordError, match=r"run\.tar\.gz cannot be written: .*`runwatch finalize r1`"):
        archive.create(run)
    assert (run / "run.tar.gz").read_bytes() == was


def test_a_folder_turned_into_a_link_between_listing_and_reading_leads_nowhere(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/a.log").write_bytes(b"never")
    swapped = []

    def swap(_: float) -> None:
        if not swapped:
            swapped.append(True)
            shutil.move(run / "logs/step_001", tmp_path / "moved")
            (run / "logs/step_001").symlink_to(tmp_path / "secret")

    big = run / "csv/a.csv"  # archived before the logs
    big.write_bytes(b"x" * 6_000_000)
    archive.create(run, progress=swap)
    assert swapped
    assert b"never" not in gzip.decompress((run / "run.tar.gz").read_bytes())
    left_out = {entry.name for entry in archive.verify(run / "run.tar.gz").left_out}
    assert "logs/step_001/a.log" in left_out


def test_extract_gives_the_files_back(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    made = archive.extract(run / "run.tar.gz", tmp_path / "out")
    assert files_of(tmp_path / "out/r1", without=("manifest.json",)) == files_of(run)
    assert set(made) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert int((tmp_path / "out/r1/metadata.json").stat().st_mtime) == 1_700_000_000


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("metadata.json", {"metadata.json"}),
        ("r1/metadata.json", {"metadata.json"}),
        ("logs/step_001", {"logs/step_001/a.log", "logs/step_001/stdout.log"}),
        ("logs/step_001/", {"logs/step_001/a.log", "logs/step_001/stdout.log"}),
        ("logs/step_*/a.log", {"logs/step_001/a.log"}),
        ("*.csv", {"csv/runs.csv"}),
    ],
)
def test_extract_takes_paths_folders_and_patterns(tmp_path: Path, pattern: str, expected: set[str]) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    made = archive.extract(run / "run.tar.gz", tmp_path / "out", [pattern])
    assert {str(path.relative_to(tmp_path / "out/r1")) for path in made} == expected


def test_extract_says_when_nothing_fits_and_when_a_file_is_there_already(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    with pytest.raises(NotFound, match=r"no file that fits logs/step_009"):
        archive.extract(run / "run.tar.gz", tmp_path / "out", ["logs/step_009"])
    archive.extract(run / "run.tar.gz", tmp_path / "out", ["metadata.json"])
    with pytest.raises(UsageError, match="is there already"):
        archive.extract(run / "run.tar.gz", tmp_path / "out", ["metadata.json"])


def test_extract_does_not_write_through_a_link_in_the_target(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    (tmp_path / "out/r1").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/r1/logs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot be written"):
        archive.extract(run / "run.tar.gz", tmp_path / "out", ["logs"])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_extract_from_a_cut_archive_says_so(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    archive.create(run)
    path = run / "run.tar.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(VerifyError, match="cut off"):
        archive.extract(path, tmp_path / "out")


def test_progress_goes_up_to_one(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    told: list[float] = []
    archive.create(run, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert 3 <= len(told) <= 102
    told.clear()
    archive.verify(run / "run.tar.gz", progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
