"""Lets the killer wait for a moment within somebody's turn."""

from __future__ import annotations

import asyncio
from typing import Literal

Moment = Literal["sent", "accepted", "tool", "words", "sound", "done"]


class Moments:
    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    def reached(self, moment: Moment) -> None:
        for future in self._waiting.pop(moment, []):
            if not future.done():
                future.set_result(None)

    async def wait(self, moment: Moment, seconds: float) -> bool:
        """False when nobody came to that moment in time."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(moment, []).append(future)
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return False
        return True
