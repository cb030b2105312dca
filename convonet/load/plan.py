"""What a run does, from its options: stages, the product's environment, limits. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from convonet import stopwatch
from convonet.far_end import names

# The one tool that the model asks for: it reads, so that a run stays as it began.
TOOL = "show_lists"
COUNTS = (1, 3, 10, 25, 50, 100)
PUBLIC_URL = "https://bench.convonet.example"
_SIZE = re.compile(r"(\d+)([MG])B?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Times in seconds."""

    counts: tuple[int, ...] = COUNTS
    """Calls in progress, one stage each, in rising order."""
    browser_percent: int = 0
    """Of the calls; the others are phone calls."""
    listen: float = 10.0
    """Of each stage: everybody is silent."""
    speak: float = 60.0
    """Of each stage: everybody talks."""
    every: float = 10.0
    """From one thing a caller says to the next."""
    idle: float = 15.0
    """Before the first call, and again before the first stage."""
    warm: float = 12.0
    """Of a few calls before the first stage, so that every worker has worked; 0: none."""
    after: float = 60.0
    """From the last hang-up to the last look."""
    think: float = 1.5
    """What the language model takes for an answer."""
    tool_percent: int = 20
    """Of the turns, in which the model asks for a tool first."""
    local: bool = False
    """Hear and speak with the product's own engines."""
    limit_bytes: int = 0
    """Of the memory cgroup; 0: none."""
    settings: tuple[tuple[str, str], ...] = ()
    """Further variables of the product's environment."""


def size_of(text: str) -> int:
    """Bytes of `512M` or `2G`; raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size such as 512M or 1G")
    return int(found[1]) << (20 if found[2].upper() == "M" else 30)


def counts_of(text: str) -> tuple[int, ...]:
    """Of `1,10,50`: rising, without repetitions; raises ValueError."""
    counts = sorted({int(part) for part in text.split(",")})
    if counts[0] < 1:
        raise ValueError("a stage needs a call")
    return tuple(counts)


def setting_of(text: str) -> tuple[str, str]:
    """Of `NAME=VALUE`; raises ValueError."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name, value


def is_browser(number: int, percent: int) -> bool:
    """Of the call with this number, from 0: spread evenly over all."""
    return (number + 1) * percent // 100 > number * percent // 100


def environment(plan: Plan, providers_url: str, marks: str) -> dict[str, str]:
    """Of the product, beside its ports and its directory."""
    telephone = {
        "TWILIO_ACCOUNT_SID": names.ACCOUNT,
        "TWILIO_AUTH_TOKEN": names.AUTH_TOKEN,
        "PUBLIC_URL": PUBLIC_URL,
    }
    calls = max(plan.counts)
    admission = {"MAX_CALLS": str(max(100, calls)), "MAX_CALLS_PER_USER": str(max(100, calls))}
    language = {
        "LANGUAGE_MODEL": "compatible",
        "COMPATIBLE_URL": f"{providers_url}/v1",
        "COMPATIBLE_MODEL": "bench",
    }
    speech = {"TRANSCRIBER": "local", "SYNTHESIZER": "pico"}
    if not plan.local:
        speech = {
            "TRANSCRIBER": "openai",
            "SYNTHESIZER": "openai",
            "OPENAI_AUDIO_URL": f"{providers_url}/v1",
            "OPENAI_AUDIO_API_KEY": "bench",
        }
    marking = {stopwatch.VARIABLE: marks}
    return telephone | admission | language | speech | marking | dict(plan.settings)


def seconds_of(plan: Plan) -> float:
    """About how long a run takes."""
    before = 20 + 2 * plan.idle + 2 * plan.warm
    ramps = sum(count / 5 + 8 for count in plan.counts)
    return before + ramps + len(plan.counts) * (plan.listen + plan.speak) + plan.after


def told(counts: Sequence[int]) -> str:
    return ", ".join(map(str, counts))
