"""What a stand-in is to answer, step by step, as its caller's last words or the control say it.

A script is a list of steps, one for each answer to the same words (after a step with tools comes
the next). A dictionary of scripts by provider lets each do something else; "*" is for the others.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# What `fail` may be. The HTTP status each provider has for the first five is its own.
REFUSALS = ("key", "rate", "server", "overloaded", "model")
FAILURES = (
    *REFUSALS,
    "silence",  # no byte of an answer
    "half",  # a part of the answer, then the connection is closed
    "short",  # a part of the answer, then it ends as if it were complete
    "stall",  # a part of the answer, then nothing more
    "error",  # a part of the answer, then an error event
    "page",  # HTML with status 200
    "broken",  # events whose JSON is cut
    "noise",  # no events at all
    "empty",  # a good answer without a word
    "refusal",  # the model declines
)


@dataclass(frozen=True, slots=True)
class Step:
    """One answer; seconds everywhere."""

    say: str = ""
    chunks: int = 0
    """In so many pieces; 0 is one for each word."""
    tools: Sequence[tuple[str, dict[str, Any]]] = ()
    """Names and arguments, all called at once."""
    wait: float = 0.0
    """Before the first byte."""
    delay: float = 0.0
    """Before each piece."""
    fail: str = ""
    """One of FAILURES."""
    times: int = 0
    """Fails only so often, and then does the rest; 0 is always."""
    retry_after: float = 0.0
    """What a refused caller is asked to wait; 0 says nothing about it."""
    usage: tuple[int, int] | None = None
    """Tokens in and out; without it they are made up from the lengths."""

    @property
    def pieces(self) -> list[str]:
        if not self.chunks:
            return re.findall(r"\s*\S+\s*?(?=\s|$)", self.say)
        size = -(-len(self.say) // self.chunks) or 1
        return [self.say[at : at + size] for at in range(0, len(self.say), size)]

    def tokens(self, asked: int) -> tuple[int, int]:
        """`asked`: bytes of the question."""
        return self.usage or (asked // 4 or 1, len(self.pieces) + 8 * len(self.tools))


@dataclass(slots=True)
class Visit:
    """One question, as the control endpoint tells it."""

    provider: str
    model: str
    outcome: str = "open"
    """`answered`, `refused`, `left` (the caller closed the connection first) or a failure."""
    why: str = ""
    sent: int = 0
    """Pieces of the answer."""


@dataclass
class Desk:
    """What is known of all questions, and what is answered to words that are no script."""

    default: list[dict[str, Any]] = field(default_factory=lambda: [{"say": "All right."}])
    scripts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By the words said."""
    delay: float = 0.0
    """For steps that have none of their own."""
    visits: deque[Visit] = field(default_factory=lambda: deque(maxlen=1000))
    asked: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def step(self, provider: str, words: str, answered: int) -> Step:
        """`answered`: how often a model has answered since these words."""
        script = self._script(provider, words)
        values = script[min(answered, len(script) - 1)]
        step = Step(**{"delay": self.delay, **values})
        if step.fail and step.fail not in FAILURES:
            raise ValueError(f"there is no failure {step.fail!r}")
        if step.times:
            key = (provider, words, answered)
            self.asked[key] += 1
            if self.asked[key] > step.times:
                return Step(**{"delay": self.delay, **values, "fail": ""})
        return step

    def _script(self, provider: str, words: str) -> list[dict[str, Any]]:
        script: Any = self.scripts.get(words)
        if script is None and words[:1] in ("[", "{"):
            script = json.loads(words)
        if isinstance(script, dict):
            script = script.get(provider) or script.get("*")
        return script or self.default

    def configure(self, values: dict[str, Any]) -> None:
        for name in ("default", "scripts", "delay"):
            if name in values:
                setattr(self, name, values[name])

    def told(self) -> dict[str, Any]:
        return {"visits": [asdict(visit) for visit in self.visits]}
