"""The stand-in for a model: it says what the script tells it to, and is recorded as what it is.

Must not reach any network. Tokens are counted from the text that a model would have been sent.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from itertools import takewhile

from runwatch import RunLogger, llm_metrics
from runwatch.demo.pace import Pace

PROVIDER = "stand-in"
MODEL = "scripted-stand-in-1"
MAX_TOKENS = 2048
"""Limit that every request names."""
_SEED = 20
_BACKOFF_S = 0.8
"""At normal speed."""
_REMEMBERED = 6
"""Messages of a conversation that are sent again with the next one."""
_CACHED_FROM_TOKENS = 256
"""A common beginning shorter than this is not cached; providers draw that line higher."""
_TOKEN = re.compile(r"\w{1,6}|[^\w\s]")


class RateLimitError(Exception):
    """The stand-in plays a provider that has had too many requests."""


TROUBLE: dict[int, type[Exception]] = {34: RateLimitError, 62: TimeoutError, 83: RateLimitError}
"""Number of the request whose first attempt fails → how."""


class StandIn:
    """A scripted model with one conversation for each role."""

    def __init__(self, run: RunLogger, pace: Pace, roles: dict[str, str]) -> None:
        self._run = run
        self._pace = pace
        self._roles = roles
        self._random = random.Random(_SEED)
        self._said: dict[str, list[str]] = defaultdict(list)
        self._sent: dict[str, str] = {}
        self.requests = 0
        """Questions so far; the retry of one is not another one."""
        self.tokens = 0
        """Tokens of all of them, both ways."""

    def ask(self, role: str, question: str, material: str, answer: str) -> str:
        """Send a question with its material, and return the answer that the script holds ready."""
        self.requests += 1
        prompt = "\n\n".join([self._roles[role], material, *self._said[role][-_REMEMBERED:], question]).strip()
        trouble = TROUBLE.get(self.requests)
        attempt = 1
        if trouble is not None:
            self._refuse(trouble)
            attempt = 2
        self._answer(prompt, role, answer, attempt)
        self._said[role] += [question, answer]
        return answer

    def _refuse(self, trouble: type[Exception]) -> None:
        """Fail the first attempt and wait, as a client would."""
        try:
            with llm_metrics.track_request(MODEL, PROVIDER) as said:
                said |= {"attempt": 1, "max_tokens": MAX_TOKENS, "request_id": f"stand-in-{self.requests}-1"}
                self._pace.rest(0.2)
                raise trouble(f"scripted: the stand-in answers with a {trouble.__name__} once")
        except (RateLimitError, TimeoutError) as error:
            backoff_s = self._pace.scaled(_BACKOFF_S)
            self._run.emit("llm.retry", {"attempt": 1, "backoff_s": backoff_s, "error": str(error)})
            self._pace.rest(_BACKOFF_S)

    def _answer(self, prompt: str, role: str, answer: str, attempt: int) -> None:
        prompt_tokens, completion_tokens = count_tokens(prompt), count_tokens(answer)
        with llm_metrics.track_request(MODEL, PROVIDER) as said:
            self._pace.rest(0.03 + 0.0015 * completion_tokens + self._random.uniform(0.0, 0.09))
            said |= {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "cache_read_tokens": self._cached_tokens(role, prompt),
                "attempt": attempt,
                "max_tokens": MAX_TOKENS,
                "response_chars": len(answer),
                "request_id": f"stand-in-{self.requests}-{attempt}",
            }
        self._sent[role] = prompt
        self.tokens += prompt_tokens + completion_tokens

    def _cached_tokens(self, role: str, prompt: str) -> int:
        """Return how many tokens at the beginning are those of the role's prompt before."""
        common = count_tokens(_common_beginning(self._sent.get(role, ""), prompt))
        return common if common >= _CACHED_FROM_TOKENS else 0


def count_tokens(text: str) -> int:
    """Return about how many tokens a text has: words in pieces of six letters, and every sign."""
    return len(_TOKEN.findall(text))


def _common_beginning(one: str, other: str) -> str:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return one[: sum(1 for _ in same)]
