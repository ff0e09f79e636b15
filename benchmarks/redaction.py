"""Measures what redaction finds, what it takes wrongly, and how quick it is beside one pass of `re` over all rules.

Must not need anything but runwatch and the corpora of its tests. `python benchmarks/redaction.py [seeds]` prints recall
and false alarms for each rule, and MB/s over three texts in one run; it ends with 1 when a secret stays or a look-alike
goes.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from redaction_corpus import (
    ANNOUNCED,
    ENVIRONMENT,
    ENVIRONMENT_LOOK_ALIKES,
    LOOK_ALIKES,
    NOT_FOUND,
    WRITTEN,
    made,
    shapes,
)
from runwatch import redact
from runwatch.redact import Redactor

LABEL = re.compile(r"\[redacted:([^\]]+)\]")
AROUND: tuple[Callable[[str], str], ...] = (
    lambda secret: secret,
    lambda secret: f"failed with key {secret}, retrying",
    lambda secret: json.dumps({"message": f"sent {secret} to the server"}),
    lambda secret: f"https://example.com/?q={secret}&page=2",
)
TEXT_MIB = 2


def recall(redactor: Redactor, seeds: int) -> tuple[Counter[str], Counter[str]]:
    """Return how often a secret of each rule was shown, and how often no part of it was left."""
    shown: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for seed in range(seeds):
        for rule, values in shapes(seed).items():
            for secret in values:
                for around in AROUND if "\n" not in secret else AROUND[:3]:
                    shown[rule] += 1
                    found[rule] += not _left(secret, redactor.text(around(secret)))
        for rule, template, announced in ANNOUNCED:
            secret = made(len(announced), seed=seed) if announced.isalnum() and not announced.isalpha() else announced
            shown[rule] += 1
            found[rule] += secret not in redactor.text(template.format(secret))
    return shown, found


def environment_recall(shown: Counter[str], found: Counter[str]) -> None:
    """Count the values of variables, in each form: how often one was shown, and how often nothing of it was left."""
    redactor = Redactor(ENVIRONMENT)
    for form, written in WRITTEN.items():
        for name, value in ENVIRONMENT.items():
            text = written(value)
            if (name, form) not in NOT_FOUND and not (form == "in small letters" and text in ENVIRONMENT.values()):
                for around in AROUND:
                    shown[f"env {form}"] += 1
                    found[f"env {form}"] += text not in redactor.text(around(text))


def _left(secret: str, result: str) -> bool:
    """Whether any sixteen characters of the end of a secret can still be read."""
    return any(secret[start : start + 16] in result for start in range(len(secret) // 2, max(1, len(secret) - 15)))


def look_alikes(seeds: int) -> list[str]:
    """Return the texts of the corpus that must stay, and as many made up again for each seed."""
    texts = list(LOOK_ALIKES)
    for seed in range(seeds):
        rng = random.Random(seed)
        hexes = {length: "".join(rng.choices("0123456789abcdef", k=length)) for length in (6, 7, 12, 32, 40, 64, 128)}
        uuid = "-".join(hexes[32][a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
        word = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=12))
        texts += [
            f"commit {hexes[40]} is {hexes[7]}, tree {hexes[64]}",
            f"sha256:{hexes[64]} sha512-{hexes[128]} md5 {hexes[32]} layer {hexes[12]}",
            f"request {uuid} of run 2026{rng.randrange(1000, 1300)}-{rng.randrange(100000, 240000)}-{hexes[6]}",
            f'{{"request_id": "req_{made(24, seed=seed)}", "id": "msg_01{made(22, seed=seed)}", "call_{made(24)}": 1}}',
            f"prompt_tokens={rng.randrange(10**9)} total_tokens: {rng.randrange(10**12)} tokens/s {rng.random() * 1e9}",
            f'ETag: "{hexes[32]}" W/"{hexes[12]}-{rng.randrange(10**6)}"',
            f"/srv/{word}/{hexes[40]}/objects/{hexes[7]}/{word}.py:{rng.randrange(2000)}",
            f'class="css-{made(7, seed=seed).lower()} sc-{made(6, seed=seed)}" h1:{made(43, seed=seed)}=',
            f"{word}_token_count={rng.randrange(10**12)} {word}.token_store.{word}() token={word}_value",
        ]
    return texts


def one_alternation() -> re.Pattern[str]:
    """Return all rules as one expression, the way a scanner without keywords would run them."""
    parts = []
    for rule in redact.rules():
        flags = re.match(r"\(\?([imsx]+)\)", rule.regex)
        body = rule.regex[flags.end() :] if flags else rule.regex
        parts.append(f"(?{flags[1].replace('m', '') if flags else ''}:{re.sub(r'[(][?]P<[a-z]+>', '(?:', body)})")
    return re.compile("|".join(parts), re.MULTILINE)


def texts() -> dict[str, list[str]]:
    """Return three kinds of text of two megabytes: words, lines of JSON logs, and lines that announce secrets."""
    rng = random.Random(3)
    words = [made(rng.randrange(2, 11), "abcdefghijklmnopqrstuvwxyz", seed) for seed in range(3000)]

    def sentence() -> str:
        return " ".join(rng.choices(words, k=14))

    def log() -> str:
        fields = {"ts": f"2026-11-21T15:{rng.randrange(60):02d}:00.{rng.randrange(10**6):06d}Z", "level": "info"}
        return json.dumps(
            {**fields, "msg": sentence(), "total_tokens": rng.randrange(9999), "id": made(24, seed=rng.randrange(99))}
        )

    def announcing() -> str:
        _, template, secret = rng.choice(ANNOUNCED)
        return f"{sentence()} {template.format(secret)}"

    kinds: dict[str, Callable[[], str]] = {"prose": sentence, "JSON logs": log, "announced secrets": announcing}
    made_up: dict[str, list[str]] = {}
    for kind, line in kinds.items():
        lines, size = [], 0
        while size < TEXT_MIB << 20:
            lines.append(line())
            size += len(lines[-1]) + 1
        made_up[kind] = lines
    return made_up


def speed(redactor: Redactor, peer: re.Pattern[str]) -> None:
    """Print MB/s of both over each text, in pieces of a message's size (the redactor remembers none of them)."""
    print(f"\n{'text':20} {'redactor':>12} {'one re':>12} {'ratio':>7}")
    for kind, lines in texts().items():
        pieces = ["\n".join(lines[at : at + 20]) for at in range(0, len(lines), 20)]
        size = sum(map(len, pieces)) / 1e6
        best = {"ours": float("inf"), "peer": float("inf")}
        for _ in range(3):
            for name, act in (("ours", redactor.text), ("peer", lambda text: peer.sub("[redacted]", text))):
                begin = time.process_time()
                for piece in pieces:
                    act(piece)
                best[name] = min(best[name], time.process_time() - begin)
        ours, theirs = size / best["ours"], size / best["peer"]
        print(f"{kind:20} {ours:7.2f} MB/s {theirs:7.2f} MB/s {ours / theirs:6.1f}×")


def main() -> int:
    """Print all of it; return the exit code."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    environ = {f"SERVICE_{number}_TOKEN": made(40, seed=1000 + number) for number in range(10)}
    redactor = Redactor(environ)
    shown, found = recall(redactor, seeds)
    alarms: Counter[str] = Counter()
    stay = look_alikes(seeds)
    for text in stay:
        result = redactor.text(text)
        alarms.update(LABEL.findall(result) if result != text else [])
    environment_recall(shown, found)
    of_a_run = Redactor(ENVIRONMENT)
    stay += ENVIRONMENT_LOOK_ALIKES
    for text in (*ENVIRONMENT_LOOK_ALIKES, *LOOK_ALIKES):
        alarms.update(LABEL.findall(of_a_run.text(text)))
    print(f"{'rule':30} {'secrets':>8} {'found':>8} {'recall':>8} {'false alarms':>13}")
    for rule in sorted({*shown, *alarms}):
        share = f"{100 * found[rule] / shown[rule]:.1f} %" if shown[rule] else "–"
        print(f"{rule:30} {shown[rule]:8} {found[rule]:8} {share:>8} {alarms[rule]:13}")
    total, hits = shown.total(), found.total()
    print(f"{'all':30} {total:8} {hits:8} {100 * hits / total:6.1f} % {alarms.total():13} in {len(stay)} look-alikes")
    speed(redactor, one_alternation())
    return 0 if hits == total and not alarms else 1


if __name__ == "__main__":
    sys.exit(main())
