"""What can happen in a run: typed values and their one wire form.

No clock, no path, no I/O. The classes live in the modules by subject; TYPES names them all.
"""

from runwatch.events.codec import TYPES, Unreadable, build, decode, encode, encode_any, salvage
from runwatch.events.envelope import Event, event_type
from runwatch.events.notices import Unknown

__all__ = [
    "TYPES",
    "Event",
    "Unknown",
    "Unreadable",
    "build",
    "decode",
    "encode",
    "encode_any",
    "event_type",
    "salvage",
]
