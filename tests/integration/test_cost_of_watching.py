"""What a run costs while its command says nothing."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from integration.recorded import start, wait_for
from integration.test_processes import _recorder


def test_the_recorder_of_a_silent_command_sleeps_nearly_always(tmp_path: Path) -> None:
    process = start("cat", cwd=tmp_path, stdin=subprocess.PIPE)
    recorder = wait_for(lambda: _recorder(process.pid), "the recorder")

    def samples() -> int:
        journals = list(tmp_path.glob("runs/*/*/events.jsonl"))
        return journals[0].read_bytes().count(b"resource.sample") if journals else 0

    def wakings() -> int:
        status = Path(f"/proc/{recorder}/status").read_text()
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    wait_for(lambda: samples() >= 2, "two samples")  # by then what the start brought is done
    begin, woken, sampled = time.monotonic(), wakings(), samples()
    wait_for(lambda: samples() >= sampled + 3, "three more")
    each_s = (wakings() - woken) / (time.monotonic() - begin)
    process.communicate(timeout=60)
    assert each_s < 25, "it looks at the journal five times a second, and fifty times while lines are to be written"
