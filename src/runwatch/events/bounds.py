"""How large the numbers of events may be: what lies beyond was not meant, and would not fit where it is counted.

No clock, no path, no I/O. A line with such a number is unreadable, as is one with a word in its place. Sums over
millions of events must stay below 2⁶³, and a time that lies so far from another must be a date.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Whole = Annotated[int, Meta(ge=-(10**12), le=10**12)]
"""Tokens, lines, files, attempts: things that are counted."""
Size = Annotated[int, Meta(ge=-(2**60), le=2**60)]
"""Bytes, and running numbers of a process."""
Seconds = Annotated[float, Meta(ge=-1e10, le=1e10)]
"""Three centuries."""
Measure = Annotated[float, Meta(ge=-1e100, le=1e100)]
"""What a program measures in a unit of its own; not the infinities, nor what is no number: JSON has neither."""
Percent = Annotated[float, Meta(ge=0.0, le=100.0)]
"""0 to 100."""
StepNumber = Annotated[int, Meta(ge=0, le=10**6)]
"""Steps count from 1, in some programs from 0. Of a line with another number that alone is passed over: `codec`."""
Planned = Annotated[int, Meta(ge=0, le=10**6)]
"""Steps that are announced: each has a row of its own."""
