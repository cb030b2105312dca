"""`python -m convonet.overhead.driver CALLS TURNS WAV`: calls the product this environment names.

A process of its own, so that what drives is not measured; tells what became of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import django

# Calls begin spread over so long, and speak out of step from then on.
SPREAD_SECONDS = 3.0


def main(calls: int, turns: int, recording: Path) -> None:
    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from convonet.overhead.callers import Report, call
    from convonet.recordings import read_wav
    from voice import tickets

    user, _ = get_user_model().objects.get_or_create(username="caller-1")
    speech = read_wav(recording)

    async def placed(number: int) -> Report:
        await asyncio.sleep(number * SPREAD_SECONDS / calls)
        url = f"ws://127.0.0.1:{settings.PORT}/ws/call?ticket={tickets.issue(user.pk)}"
        return await call(url, speech, turns)

    async def drive() -> list[Report]:
        return await asyncio.gather(*map(placed, range(calls)))

    began = time.process_time(), time.monotonic()
    reports = asyncio.run(drive())
    figures = {
        "seconds": time.monotonic() - began[1],
        "cpu_seconds": time.process_time() - began[0],
        "answered": [turn for report in reports for turn in report.answered],
        "unanswered": sum(report.unanswered for report in reports),
        "late_ms": sorted(late for report in reports for late in report.late_ms),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
