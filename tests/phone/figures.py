"""`python -m tests.phone.figures [COUNT]`: how fast a reply stops for a caller who interrupts it.

From the first voiced frame that leaves the caller to the last frame of the old reply, and to the
`clear`, over real sockets; the workers are played, so it is the web process that is measured.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from convonet.far_end.line import Line
from tests.phone.calling import CALL_SECONDS, conduct, number
from tests.phone.recordings import utterances
from tests.phone.test_barge_in import Replies
from tests.phone.web import Web, running_web
from tests.phone.workers import playing


async def one(web: Web, order: int) -> tuple[float, float, Line]:
    """(ms to the clear, ms to the last frame of the old reply, the line)."""
    line, replies = Line(), Replies()
    first, second = utterances(order)
    stopped: list[float] = []

    async def person(line: Line) -> None:
        await line.quiet(0.5, CALL_SECONDS)
        said = await line.say(first)
        assert await line.hears_after(said.ended, 700 + 37 * (order % 20), CALL_SECONDS)
        over = line.start_saying(second)
        assert await line.until(lambda: line.count("clear") > 0, CALL_SECONDS)
        stopped.append(over.voiced)
        await line.until(lambda: False, 0.5)

    async with playing(web.broker, web) as workers:
        workers.answers = replies
        await conduct(web, line, person, caller=number(order))
    events = list(line.arrivals)
    (cleared,) = [n for n, event in enumerate(events) if event.kind == "clear"]
    last = [event.at for event in events[:cleared] if event.kind == "media"][-1]
    behind = [event for event in events[cleared:] if event.kind == "media"]
    assert not behind, "audio of the old reply behind the clear"
    return (events[cleared].at - stopped[0]) * 1000, (last - stopped[0]) * 1000, line


def table(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    middle, most = statistics.median(ordered), ordered[-1]
    tenth = ordered[-(-9 * len(ordered) // 10) - 1]
    return f"{name:<34} median {middle:5.0f}  9 in 10 {tenth:5.0f}  most {most:5.0f}"


async def run(web: Web, count: int) -> None:
    clears, lasts, late = [], [], 0.0
    for order in range(count):
        clear, last, line = await one(web, order)
        clears.append(clear)
        lasts.append(last)
        late = max(late, line.late.most_ms)
    print(table("first voice -> clear, ms", clears))
    print(table("first voice -> last old frame, ms", lasts))
    print(f"frames left at most {late:.0f} ms late")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, running_web(Path(directory)) as running:
        asyncio.run(run(running, int(sys.argv[1]) if len(sys.argv) > 1 else 20))
