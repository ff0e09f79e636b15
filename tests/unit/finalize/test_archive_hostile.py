"""Archives that somebody made to do harm: neither verified nor extracted, with a sentence that says why."""

from __future__ import annotations

import io
import random
import shutil
import tarfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runwatch.errors import UsageError, VerifyError
from runwatch.finalize import archive, archive_read
from runwatch.finalize.ahead import Ahead
from runwatch.finalize.archive_tar import header, padding
from runwatch.finalize.gzip_member import HEADER, STORED_LAST, ending, piece, stored
from unit.finalize.test_archive_ahead import PIECE, a_run, put, small, text, work

__all__ = ["small"]  # the fixture that makes pieces small, for every test here


def plain(name: str, data: bytes = b"data\n") -> bytes:
    """A plain file as tar."""
    return header(name, len(data), 0) + data + padding(len(data))


def member(name: str, data: bytes = b"data\n", **other: Any) -> dict[str, Any]:
    """Its line in the listing."""
    return {"name": name, "size_bytes": len(data), "sha256": sha256(data).hexdigest()} | other


def forge(path: Path, tar: bytes, members: list[dict[str, Any]], run_id: str = "r1") -> Path:
    """Write an archive that is well formed in every other way: a listing that fits it, right hashes and checksums."""
    prefix = HEADER + piece(tar)
    listing = {
        "schema": 1,
        "run_id": run_id,
        "members": members,
        "left_out": [],
        "spans": [{"end_bytes": len(prefix), "sha256": sha256(prefix).hexdigest()}],
        "prefix_bytes": f"{len(prefix):020d}",
    }
    content = msgspec.json.encode(listing) + b"\n"
    last = header(f"{run_id}/manifest.json", len(content), 0) + content + padding(len(content))
    whole = tar + last
    path.write_bytes(prefix + stored(last, STORED_LAST) + ending(zlib.crc32(whole), len(whole)))
    return path


def refuse(path: Path, said: str) -> None:
    """Both ways of reading it raise, and nothing was written outside, nothing that is no plain file anywhere."""
    target = path.parent / "out"
    shutil.rmtree(target, ignore_errors=True)
    for act in (archive.verify, lambda file: archive.extract(file, target)):
        with pytest.raises(VerifyError, match=said):
            act(path)
    written = {found for found in path.parent.rglob("*") if found != path}
    assert {found.name for found in written if not found.is_dir()} <= {"good"}
    assert all(not found.is_symlink() for found in written)


def test_the_forger_makes_archives_that_pass(tmp_path: Path) -> None:
    path = forge(tmp_path / "run.tar.gz", plain("r1/good"), [member("good")])
    archive.verify(path)
    made = archive.extract(path, tmp_path / "out")
    assert [found.name for found in made] == ["good", "manifest.json"]


@pytest.mark.parametrize("name", ["/tmp/evil", "../evil", "a/../../evil", "./evil", "a//evil", "", "a\0b", ".."])
def test_a_listed_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    tar = plain("r1/good") + (b"" if "\0" in name else plain(f"r1/{name}"))
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), member(name)]), "leads out of the folder")


@pytest.mark.parametrize("run_id", ["..", "/tmp", "a/b", ""])
def test_a_run_id_that_leads_out_is_refused(tmp_path: Path, run_id: str) -> None:
    path = forge(tmp_path / "run.tar.gz", plain(f"{run_id}/good"), [member("good")], run_id=run_id)
    refuse(path, "leads out of the folder")


def test_a_raw_name_that_leads_out_is_refused(tmp_path: Path) -> None:
    for raw, said in ((b"../evil".hex(), "leads out"), ("zz", "a name that is none")):
        refuse(forge(tmp_path / "run.tar.gz", plain("r1/x"), [member("x", raw_name=raw)]), said)


@pytest.mark.parametrize("name", ["r1/../../evil", "/tmp/evil", "r1/other", "evil"])
def test_a_member_by_another_name_than_listed_is_refused(tmp_path: Path, name: str) -> None:
    tar = plain("r1/good") + plain(name)
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), member("evil")]), "stands where evil is listed")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_links_devices_pipes_and_folders_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("r1/evil")
    info.type, info.linkname = kind, "/etc/passwd"
    tar = plain("r1/good") + info.tobuf(tarfile.USTAR_FORMAT)
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), member("evil", b"")]), "evil is no file")


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    """It would have a terabyte out of nothing."""
    info = tarfile.TarInfo("r1/evil")
    info.size = 512
    info.pax_headers = {"GNU.sparse.size": str(1 << 40), "GNU.sparse.map": "0,512"}
    tar = plain("r1/good") + info.tobuf(tarfile.PAX_FORMAT) + bytes(512)
    listed = member("evil") | {"size_bytes": 1 << 40}
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), listed]), "claims 1099511627781 bytes")
    listed["size_bytes"] = 512
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), listed]), "evil is no file")


def test_a_file_that_stands_twice_is_refused(tmp_path: Path) -> None:
    tar = plain("r1/good") + plain("r1/good", b"other")
    twice = [member("good"), member("good", b"other")]
    refuse(forge(tmp_path / "run.tar.gz", tar, twice), "good is listed twice")
    refuse(forge(tmp_path / "run.tar.gz", tar, twice[:1]), "good is in it and not listed")


def test_content_of_another_hash_is_taken_away_again(tmp_path: Path) -> None:
    path = forge(tmp_path / "run.tar.gz", plain("r1/evil"), [member("evil", b"other")])
    refuse(path, r"evil differs from its listed SHA-256")


def test_a_bomb_is_not_read_on_beyond_what_is_listed(tmp_path: Path) -> None:
    bomb = bytes(64 << 20)
    refuse(forge(tmp_path / "run.tar.gz", plain("r1/good") + bomb, [member("good")]), "more than its listing names")
    tar = plain("r1/good") + header("r1/bomb", len(bomb), 0) + bomb
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), member("bomb")]), "bomb is no file of the 5 bytes")


def test_a_listing_that_claims_more_than_the_file_can_hold_is_refused(tmp_path: Path) -> None:
    path = forge(tmp_path / "run.tar.gz", plain("r1/good"), [member("good"), member("evil") | {"size_bytes": 1 << 60}])
    refuse(path, r"claims 1152921504606846981 bytes, more than its \d+ bytes can hold")
    path = forge(tmp_path / "run.tar.gz", plain("r1/good"), [member("good"), member("evil") | {"size_bytes": -1}])
    refuse(path, "a length that is none")


def test_a_pax_header_of_a_gigabyte_is_not_held(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    tar = plain("r1/good") + info.tobuf(tarfile.USTAR_FORMAT) + bytes(8 << 20)
    refuse(forge(tmp_path / "run.tar.gz", tar, [member("good"), member("x")]), "a header of 1073741824 bytes")


def test_a_listing_of_any_length_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_read, "MAX_LISTING_BYTES", 1000)
    refuse(forge(tmp_path / "run.tar.gz", plain("r1/good"), [member("good")]), r"has a listing of \d+ bytes")


def test_what_there_is_no_room_for_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = forge(tmp_path / "run.tar.gz", plain("r1/good"), [member("good")])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 4))  # type: ignore[attr-defined]  # what it returns
    with pytest.raises(UsageError, match=r"would take 5 bytes .* which has room for 4"):
        archive.extract(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def of_all_kinds(tmp_path: Path) -> Path:
    """An archive with closed files, one that was begun while open, and two spans of hashes."""
    run = a_run(tmp_path, steps=1)
    put(run, "logs/step_002/stdout.log", text(2, 4 * PIECE), settled=False)
    maker = Ahead(run)
    maker.close_step(1)
    maker.open_step(2)
    work(maker)
    maker.close()
    archive.create(run)
    return run / "run.tar.gz"


def test_a_flipped_bit_anywhere_is_caught(tmp_path: Path) -> None:
    path = of_all_kinds(tmp_path)
    whole = path.read_bytes()
    listing = archive_read.read_listing(path)
    chosen = random.Random(3)
    ends = [span.end_bytes for span in listing.manifest.spans]
    near = [at + offset for at in (10, *ends, len(whole) - 20) for offset in (-2, -1, 0, 1, 5)]
    anywhere = [chosen.randrange(len(whole)) for _ in range(120)]
    in_header = range(ends[0], ends[1], 61)
    assert len(ends) >= 3
    for at in {*range(10), *range(len(whole) - 20, len(whole)), *near, *anywhere, *in_header}:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with pytest.raises(VerifyError):
            archive.verify(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda whole: whole[:-1], "cut off|too short"),
        (lambda whole: whole[: len(whole) // 2], "cut off|no listing"),
        (lambda whole: whole[:20], "too short"),
        (lambda whole: b"", "too short"),
        (lambda whole: whole + b"\0", "something was added"),
        (lambda whole: whole + b"garbage" * 999, "something was added"),
        (lambda whole: whole + whole, "is damaged|cover|listing|checksum"),
        (lambda whole: whole + HEADER + piece(b"x") + ending(0, 0), "listing|damaged"),
        (lambda whole: HEADER + piece(b"x") + ending(0, 0) + whole, "damaged|listing"),
    ],
)
def test_a_cut_or_lengthened_archive_or_a_second_member_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    source = of_all_kinds(tmp_path / "made")
    (tmp_path / "read").mkdir()
    path = tmp_path / "read/run.tar.gz"
    path.write_bytes(change(source.read_bytes()))
    for act in (archive.verify, lambda file: archive.extract(file, tmp_path / "out")):
        with pytest.raises(VerifyError, match=said):
            act(path)


def test_an_archive_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("r1/good")
        info.size = 5000
        tar.addfile(info, io.BytesIO(random.Random(3).randbytes(5000)))
    refuse(path, "does not begin as runwatch's archives do")
