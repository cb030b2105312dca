"""What a caller does, as a list of steps that fits into JSON; played by `persona`.

Steps, one key each: `quiet` (seconds of silence after something was heard), `heard` (ms heard of
what comes next), `say` (a WAV file's path), `press` (digits), `wait` (seconds), `stay` (seconds,
unless the call ends). At the end the caller hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from convonet.far_end.line import Line, Speech
from convonet.far_end.phone_call import Persona

# A caller who hears nothing for so long goes on all the same.
PATIENCE_SECONDS = 45.0

Step = dict[str, Any]


def persona(steps: Sequence[Step], read: Callable[[Path], Speech]) -> Persona:
    """`read` gives the speech of a file; raises ValueError for a step that does not exist."""
    unknown = {name for step in steps for name in step} - set(_STEPS)
    if unknown:
        raise ValueError(f"no such steps: {', '.join(sorted(unknown))}")

    async def play(line: Line) -> None:
        for step in steps:
            for name, value in step.items():
                if name == "say":
                    value = read(Path(value))
                await _STEPS[name](line, value)

    return play


async def _quiet(line: Line, seconds: float) -> None:
    await line.quiet(seconds, PATIENCE_SECONDS)


async def _heard(line: Line, ms: int) -> None:
    await line.hears_after(line.clock(), ms, PATIENCE_SECONDS)


async def _say(line: Line, speech: Speech) -> None:
    await line.say(speech)


async def _press(line: Line, digits: str) -> None:
    line.press(digits)


async def _wait(_line: Line, seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _stay(line: Line, seconds: float) -> None:
    await line.until(lambda: False, seconds)


_STEPS: dict[str, Callable[[Line, Any], Any]] = {
    "quiet": _quiet,
    "heard": _heard,
    "say": _say,
    "press": _press,
    "wait": _wait,
    "stay": _stay,
}
