"""When which bytes of the command's output arrived: the records of ``logs/output.idx``, both directions.

Must not read the output itself. Source: record.md, "The run directory"; the format is ours:
``<unix seconds, 6 decimals> <path below logs/> <first offset>``, one record a line, ASCII: the bytes of that file from
that offset on arrived at that time, until the next record of the same file.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from pathlib import Path

_SLICE_BYTES = 256 << 10
_TAIL_BYTES = 128 << 10
_FULL_RECORDS = 200_000
_THIN_S = 0.1
_THIN_BYTES = 4096


def format_record(time: float, path: str, offset: int) -> bytes:
    """Return one record, line feed included. ``path`` lies below ``logs/`` and holds no space."""
    return b"%.6f %s %d\n" % (time, path.encode("ascii"), offset)


class Arrivals:
    """Arrival times of one file: offsets that rise, each with the time from which on it arrived."""

    __slots__ = ("offsets", "recent_offsets", "recent_times", "times", "whole")

    def __init__(self, *, whole: bool = True) -> None:
        self.times = array("d")
        self.offsets = array("Q")
        self.recent_times = array("d")
        self.recent_offsets = array("Q")
        self.whole = whole
        """False while older records are still being read: what lies between is not known yet."""

    def __len__(self) -> int:
        return len(self.offsets) + len(self.recent_offsets)

    def add(self, time: float, offset: int) -> None:
        """Add a record; one that goes back is moved forward, and beyond 200,000 those close to the last are left out.

        (A run of days stays within a few megabytes so.)
        """
        if self.offsets:
            last_time, last_offset = self.times[-1], self.offsets[-1]
            if offset <= last_offset:
                return
            time = max(time, last_time)
            near = time - last_time < _THIN_S and offset - last_offset < _THIN_BYTES
            if near and len(self.offsets) > _FULL_RECORDS:
                return
        self.times.append(time)
        self.offsets.append(offset)

    def time_of(self, offset: int) -> float | None:
        """Return when the byte at ``offset`` arrived, in seconds since the epoch; None when no record tells.

        What lies in front of the first record counts with it.
        """
        if self.recent_offsets and offset >= self.recent_offsets[0]:
            return self.recent_times[bisect_right(self.recent_offsets, offset) - 1]
        at = bisect_right(self.offsets, offset)
        if not self.offsets or (at == len(self.offsets) and not self.whole):
            return None
        return self.times[max(at - 1, 0)]

    def offset_after(self, time: float) -> int | None:
        """Return the first offset that arrived later than ``time``; None when no recorded byte did."""
        at = bisect_right(self.times, time)
        if at < len(self.offsets):
            return self.offsets[at] if at else 0
        at = bisect_right(self.recent_times, time)
        return self.recent_offsets[at] if at < len(self.recent_offsets) else None


class OutputIndex:
    """Reads a growing ``output.idx``, the newest records first, the older ones in slices. One thread at a time."""

    def __init__(self, path: Path | str) -> None:
        self._path = os.fspath(path)
        self._fd: int | None = None
        self._files: dict[str, Arrivals] = {}
        self._at = 0
        self._end = 0
        self._joint: int | None = None
        self._torn = b""

    def __del__(self) -> None:
        if self._fd is not None:
            os.close(self._fd)

    @property
    def whole(self) -> bool:
        """True once every record there was has been read."""
        return self._joint is None

    def arrivals(self, path: str) -> Arrivals:
        """Return the arrivals of a file below ``logs/``; the value grows with the index."""
        if path not in self._files:
            self._files[path] = Arrivals(whole=self.whole)
        return self._files[path]

    def stirred(self) -> bool:
        """Tell whether ``advance`` would find something."""
        if self._fd is None:
            return os.path.exists(self._path)
        return os.fstat(self._fd).st_size != self._at

    def advance(self) -> bool:
        """Read what is new, a slice at most; return True when more waits to be read."""
        if self._fd is None and not self._open():
            return False
        assert self._fd is not None
        size = os.fstat(self._fd).st_size
        if size < self._at:
            self._forget()
            return True
        if size <= self._at:
            return False
        if self._at == 0 and size > _SLICE_BYTES + _TAIL_BYTES:
            self._read_tail(size)
        stop = size if self._joint is None else self._joint
        data = os.pread(self._fd, min(_SLICE_BYTES, stop - self._at), self._at)
        self._at += len(data)
        self._take(self._torn + data, recent=False)
        if self._joint is not None and self._at >= self._joint:
            self._join()
        return bool(data) and self._at < size

    def _open(self) -> bool:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        return True

    def _forget(self) -> None:
        self._at, self._joint, self._torn = 0, None, b""
        for arrivals in self._files.values():
            for column in (arrivals.times, arrivals.offsets, arrivals.recent_times, arrivals.recent_offsets):
                del column[:]

    def _read_tail(self, size: int) -> None:
        assert self._fd is not None
        data = os.pread(self._fd, _TAIL_BYTES, size - _TAIL_BYTES)
        first = data.find(b"\n") + 1
        last = data.rfind(b"\n") + 1
        self._joint = size - _TAIL_BYTES + first
        self._take(data[first:last], recent=True)
        for arrivals in self._files.values():
            arrivals.whole = False

    def _join(self) -> None:
        self._joint = None
        for arrivals in self._files.values():
            arrivals.whole = True
            del arrivals.recent_times[:], arrivals.recent_offsets[:]

    def _take(self, data: bytes, *, recent: bool) -> None:
        lines = data.split(b"\n")
        torn = lines.pop()
        if not recent:
            self._torn = torn
        for line in lines:
            parts = line.split(b" ")
            try:
                time, path, offset = float(parts[0]), parts[1].decode("ascii"), int(parts[2])
            except (ValueError, IndexError):
                continue  # a torn record: the next one of the file tells the rest
            if offset < 0 or time != time:
                continue
            arrivals = self.arrivals(path)
            if recent:
                arrivals.recent_times.append(max(time, arrivals.recent_times[-1]) if arrivals.recent_times else time)
                arrivals.recent_offsets.append(offset)
            else:
                arrivals.add(time, offset)
