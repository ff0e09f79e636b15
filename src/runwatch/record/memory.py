"""How often the kernel has killed for lack of memory, in the cgroup of this process.

Must not import anything but os: the supervisor reads it before and after its command. **Source**: the kernel's
cgroup-v2.rst, "memory.events"; cgroup-v1/memory.rst, "OOM Control".
"""

from __future__ import annotations

import os

ROOT = "/sys/fs/cgroup"


def oom_kills(root: str = ROOT, own: str = "/proc/self/cgroup") -> int | None:
    """Return the count of our control group; None where none is kept.

    In a container the group may be called as its host calls it, and lie at the root.
    """
    for line in _lines(own):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            names = [f"{root}{place}/memory.events" for place in (path, "")]
        elif "memory" in controllers.split(","):
            names = [f"{root}/memory{place}/memory.oom_control" for place in (path, "")]
        else:
            continue
        found = next((count for count in map(_count, names) if count is not None), None)
        if found is not None:
            return found
    return None


def _count(path: str) -> int | None:
    for line in _lines(path):
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdigit():
            return int(value)
    return None


def _lines(path: str) -> list[str]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return os.read(fd, 65536).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    finally:
        os.close(fd)
