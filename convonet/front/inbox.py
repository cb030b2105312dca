"""One socket's messages between its server and its application: bounded, or not kept at all.

Until the application takes them over (`hand_to`) they wait here, and the socket is not read while
`MOST_WAITING` do; from then on each goes to it as it comes, on no task, queue or thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from convonet import counters

# A second and more of a phone call's audio: a call that is being looked up does not hold up.
MOST_WAITING = 64
# Read on when there is so much room again.
FEW_WAITING = 16

Event = dict[str, Any]
Take = Callable[[str | bytes | None], None]


class Inbox:
    """ASGI's `receive` of one socket, and what its server puts the events into.

    `pause` and `resume` stop and start the reading of the socket.
    """

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause, self._resume = pause, resume
        self._waiting: deque[Event] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._paused = self._over = False
        self.take: Take | None = None
        """Who gets each message at once: its content, None at the end of the socket."""

    async def __call__(self) -> Event:
        while not self._waiting:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        event = self._waiting.popleft()
        if len(self._waiting) <= FEW_WAITING:
            self._read_on()
        return event

    def hand_to(self, take: Take) -> None:
        """Give each message to `take` as it comes, what waits first; after it nothing waits."""
        while self._waiting:
            event = self._waiting.popleft()
            if event["type"] != "websocket.connect":
                self._give(take, event)
        self.take = take
        self._read_on()

    def forget(self) -> None:
        """Nobody wants what still comes."""
        self._waiting.clear()
        self.take = _nobody
        self._read_on()

    # The server -----------------------------------------------------------------------------
    def put_nowait(self, event: Event) -> None:
        """An event as ASGI words it; never refused: the reading stops before it comes to that."""
        if self.take is not None:
            self._give(self.take, event)
            return
        self._waiting.append(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if len(self._waiting) >= MOST_WAITING and not self._paused:
            self._paused = True
            counters.add("inbound_pauses")
            self._pause()

    def put(self, message: str | bytes) -> None:
        """A message as the client sent it."""
        if self.take is not None:
            self.take(message)
        elif isinstance(message, str):
            self.put_nowait({"type": "websocket.receive", "text": message})
        else:
            self.put_nowait({"type": "websocket.receive", "bytes": message})

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        return self._paused

    def _give(self, take: Take, event: Event) -> None:
        if event["type"] == "websocket.receive":
            data = event.get("bytes")
            take(data if data is not None else event["text"])
        elif event["type"] == "websocket.disconnect" and not self._over:
            self._over = True
            take(None)

    def _read_on(self) -> None:
        if self._paused:
            self._paused = False
            self._resume()


def _nobody(_message: str | bytes | None) -> None:
    """Takes what nobody wants."""
