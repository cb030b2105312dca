"""What a run does, from its options: stages, the product's environment, limits. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convonet import stopwatch
from convonet.far_end import names

# The one tool that the model asks for: it reads, so that a run stays as it began.
TOOL = "show_lists"
# Tools of `runaway_tools`, and the numbers on whose lines callers are given one of them.
RUNAWAYS = ("runaway_memory", "runaway_answer", "runaway_wait")
RUNAWAY_LINES = {tool: f"+150055501{n:02d}" for n, tool in enumerate(RUNAWAYS)}
COUNTS = (1, 3, 10, 25, 50, 100)
# How the search for the limit goes on, and where it ends in any case.
STEP, MOST_CALLS = 25, 500
LONG_SECONDS = 180.0
# Extra callers beside those who count.
MOST_RUNAWAYS = 4
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
    cold: float | None = None
    """Before the first call, where that is not looked at as closely."""
    warm: float = 12.0
    """Of a few calls before the first stage, so that every worker has worked; 0: none."""
    after: float = 60.0
    """From the last hang-up to the last look."""
    think: float = 1.5
    """What the language model takes for an answer."""
    tool_percent: int = 20
    """Of the turns, in which the model asks for a tool first."""
    runaway: float = 0.0
    """From one extra caller whose tool runs away to the next, while everybody talks; 0: none."""
    until_limit: bool = False
    """Leave out what follows a stage in which something gives way; with `beyond` go on from the
    last one, by `STEP` calls each time, until then."""
    beyond: bool = True
    local: bool = False
    """Hear and speak with the product's own engines."""
    limit_bytes: int = 0
    """Of the memory cgroup; 0: none."""
    settings: tuple[tuple[str, str], ...] = ()
    """Further variables of the product's environment."""
    peers_directory: Path = Path("var/peers")
    """Where peers' environments are made."""

    @property
    def look_seconds(self) -> float:
        """From one look at all processes to the next: each walks their page tables."""
        return 5.0 if self.speak >= LONG_SECONDS else 2.0

    @property
    def first_idle(self) -> float:
        return self.idle if self.cold is None else self.cold

    def every_count(self) -> list[int]:
        """Of its stages, those that only the search for the limit comes to included."""
        more = range(max(self.counts, default=0) + STEP, MOST_CALLS + 1, STEP)
        return [*self.counts, *(more if self.until_limit and self.beyond else ())]


def size_of(text: str) -> int:
    """Bytes of `512M` or `2G`; raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size such as 512M or 1G")
    return int(found[1]) << (20 if found[2].upper() == "M" else 30)


def counts_of(text: str) -> tuple[int, ...]:
    """Of `1,10,50`: rising, without repetitions; `0` for none. Raises ValueError."""
    counts = sorted({int(part) for part in text.split(",")})
    if counts == [0]:
        return ()
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


def environment(plan: Plan, providers_url: str, marks: str, server: str = "") -> dict[str, str]:
    """Of the product, beside its ports and its directory.

    Its profile is its own choice, but for the calls it takes: a limit is looked for by calls.
    """
    telephone = {
        "TWILIO_ACCOUNT_SID": names.ACCOUNT,
        "TWILIO_AUTH_TOKEN": names.AUTH_TOKEN,
        "PUBLIC_URL": PUBLIC_URL,
    }
    calls = MOST_CALLS if plan.until_limit and plan.beyond else most_calls(plan)
    # All browsers' callers may be one person's.
    admission = {"MAX_CALLS_PER_USER": str(max(1, calls))}
    if plan.until_limit or plan.runaway or most_calls(plan) > 100:
        admission["MAX_CALLS"] = str(calls)
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
    rest = {stopwatch.VARIABLE: marks}
    if server:
        rest["SERVER"] = server
    if plan.runaway:
        rest["EXTRA_TOOLSETS"] = "convonet.load.runaway_tools.TOOLS"
    return telephone | admission | language | speech | rest | dict(plan.settings)


def most_calls(plan: Plan) -> int:
    return max(plan.counts, default=0) + (MOST_RUNAWAYS if plan.runaway else 0)


def seconds_of(plan: Plan) -> float:
    """About how long a run takes."""
    before = 20 + plan.first_idle + plan.idle + 2 * plan.warm
    ramps = sum(count / 5 + 8 for count in plan.counts)
    return before + ramps + len(plan.counts) * (plan.listen + plan.speak) + plan.after


def told(counts: Sequence[int]) -> str:
    return ",".join(map(str, counts)) or "no"
