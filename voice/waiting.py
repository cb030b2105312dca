"""`/ws/wait`: a person's place in the line of those who wait for a call, told as it changes.

The line is in Redis (`voice.places`) and keeps a place through a broken connection. Whose turn it
is has a place of a call kept for a while, and calls as usual: the place is theirs by their name.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from voice import admission, doors, places
from voice.admission import Switchboard
from voice.browser_stream import encode
from voice.errors import BrokerLost, Refused
from voice.places import Standing
from voice.sockets import Receive, Send, send_message
from voice.wiring import services

logger = logging.getLogger(__name__)

# Whoever is next looks often; who comes later need not.
NEXT_SECONDS, LATER_SECONDS = 1.0, 3.0
NEXT_PLACES = 3
# The far end meant it, and was not lost: normal, going away, without a code.
MEANT = frozenset({1000, 1001, 1005})
ENDS = {
    "taken": (1000, ""),
    "missed": (1000, "Your turn went by, and the line is the next caller's now."),
    "elsewhere": (1000, "You went on waiting in another window."),
    "crowded": (4503, "Too many people are waiting already. Please try again in a few minutes."),
}


class Waiter:
    """One person's wait by one socket: what to ask the line next, and what an answer means."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: Standing | None = None
        self._held_until = 0.0
        self._since_ms = 0
        self.how = "join"

    @property
    def since_ms(self) -> int:
        return self._since_ms

    @property
    def pause_seconds(self) -> float:
        """Until the line is to be asked again."""
        far = self._last and self._last.kind == "waiting" and self._last.place > NEXT_PLACES
        return LATER_SECONDS if far else NEXT_SECONDS

    def told(self, standing: Standing) -> tuple[dict[str, Any] | None, str]:
        """(a message for the page, if anything is new; why the wait is over, or nothing)."""
        before, self._last = self._last, standing
        match standing.kind:
            case "waiting":
                self.how, self._since_ms = "stay", standing.since_ms
                news = {"type": "line", "place": standing.place, "of": standing.of}
                return (None if before == standing else news), ""
            case "held":
                first, self.how = self.how != "held", "held"
                self._held_until = self._clock() + standing.held_ms / 1000
                seconds = round(standing.held_ms / 1000)
                return ({"type": "free", "seconds": seconds} if first else None), ""
            case "over":
                return None, "taken" if self._clock() < self._held_until else "missed"
            case kind:
                return None, kind


async def wait_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    try:
        user = doors.page_user(scope)
        why = await _wait(f"user:{user.pk}", services().switchboard, receive, send)
        code, text = ENDS[why]
    except Refused as refusal:
        why, code, text = refusal.reason, refusal.code, refusal.sentence
    if text:
        await send_message(send, encode({"type": "bye", "reason": why, "text": text}))
    # uvicorn raises where the far end has closed already.
    with suppress(OSError):
        await send({"type": "websocket.close", "code": code, "reason": why})


async def _wait(person: str, board: Switchboard, receive: Receive, send: Send) -> str:
    """Until the wait is over, or the page gone (`taken`, for want of anybody to tell)."""
    holder, waiter, changed = admission.new_holder(), Waiter(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    unwatch = admission.watch(wake)
    gone = asyncio.create_task(_until_gone(receive))
    left = True
    try:
        while not gone.done():
            message, why = await _ask(person, holder, waiter, board)
            if message is not None:
                await send_message(send, encode(message))
            if why:
                return why
            await _pause(gone, changed, waiter.pause_seconds)
        left = gone.result() in MEANT
        return "taken"
    finally:
        gone.cancel()
        unwatch()
        if left:
            with suppress(BrokerLost):
                await board.ask(places.leave(person, holder, host=admission.host()))


async def _ask(
    person: str, holder: str, waiter: Waiter, board: Switchboard
) -> tuple[dict[str, Any] | None, str]:
    command = places.wait(
        *(person, holder, admission.limits()),
        host=admission.host(),
        how=waiter.how,
        since_ms=waiter.since_ms,
    )
    try:
        standing = places.read_standing(await board.ask(command))
        if standing.kind == "waiting" and standing.place == 1 and await board.reclaim():
            standing = places.read_standing(await board.ask(command))
    except BrokerLost as error:
        # Whoever waits goes on waiting: a broker that comes back is told their place.
        logger.warning("line not asked", extra={"error": str(error)})
        return None, ""
    return waiter.told(standing)


async def _pause(gone: asyncio.Task[int], changed: asyncio.Event, seconds: float) -> None:
    """Shorter when a call of this process ends, which may be what is waited for."""
    woken = asyncio.create_task(changed.wait())
    await asyncio.wait({gone, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    woken.cancel()
    changed.clear()


async def _until_gone(receive: Receive) -> int:
    """The close code; what a page says meanwhile is nothing we asked for."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return int(message.get("code") or 1005)
