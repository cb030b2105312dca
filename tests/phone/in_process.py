"""The media socket within the test's own process: real broker and rows, no server between.

For what only a look inside shows: tasks, subscriptions, places; and for clocks of one's own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from asgiref.sync import sync_to_async
from django.test import override_settings

from convonet.far_end import names, wire
from convonet.far_end.line import Line
from convonet.far_end.media_stream import MediaStream
from phone import calls, sockets, tokens
from voice import events, keys, wiring
from voice.models import Call, Turn
from voice.streams import FIELD
from voice.wiring import Services

Hear = Callable[[str | bytes], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A call whose webhook was answered."""

    call_id: str
    sid: str
    token: str


@contextlib.asynccontextmanager
async def serving(broker: str, **options: Any) -> AsyncIterator[Services]:
    """The process's services on that broker, with these options of calls; none are left after."""
    with override_settings(REDIS_URL=broker):
        wiring.services.cache_clear()
        joined = wiring.services()
    changed = replace(joined, options=replace(joined.options, **options))
    await _reading(joined)
    try:
        with patch.object(sockets, "services", lambda: changed):
            yield changed
    finally:
        wiring.services.cache_clear()
        joined.hub_task.cancel()
        await asyncio.wait({joined.hub_task})
        await joined.redis.aclose()


async def _reading(joined: Services) -> None:
    """Until the hub reads: Redis' client forgets a cancellation that comes while it connects."""
    stream, read = f"{keys.PREFIX}reading", asyncio.Event()

    def receive(_: events.Event) -> None:
        read.set()

    await joined.redis.xadd(stream, {FIELD: events.encode(events.TurnStarted("none"))})
    await joined.hub.subscribe(stream, receive, from_start=True)
    await asyncio.wait_for(read.wait(), 60)
    joined.hub.unsubscribe(stream, receive)
    await joined.redis.delete(stream)


@sync_to_async
def open_call(number: str = names.CALLER, *, known: bool = True) -> Opened:
    """As the webhook does it; a `known` caller needs no PIN."""
    sid = names.sid("CA")
    phone = calls.open_inbound({"CallSid": sid, "From": number, "To": names.CALLED})
    if known:
        Call.objects.filter(pk=phone.call_id).update(identified=True)
    stream = calls.next_stream(phone, "")
    return Opened(str(phone.call_id), sid, tokens.issue(str(phone.call_id), sid, stream))


@sync_to_async
def call_row(call_id: str) -> Call:
    return Call.objects.get(pk=call_id)


@sync_to_async
def turn_rows(call_id: str) -> list[Turn]:
    return list(Turn.objects.filter(call_id=call_id).order_by("number"))


class Rows:
    """Those of this process's database, for `tests.phone.workers`."""

    async def call_of(self, turn_id: str) -> str:
        turn = await Turn.objects.aget(pk=turn_id)
        return str(turn.call_id)

    async def speaking(self, turn_id: str, reply: str) -> None:
        await Turn.objects.filter(pk=turn_id).aupdate(state=Turn.State.SPEAKING, reply=reply)


class LocalSocket:
    """Both ends of one WebSocket, as an ASGI server would hold them."""

    def __init__(self, hear: Hear, ended: Callable[[], None]) -> None:
        self._hear, self._ended = hear, ended
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=200_000)
        self._in.put_nowait({"type": "websocket.connect"})
        self.close_code: int | None = None
        self.gone = asyncio.Event()
        scope = {"type": "websocket", "path": "/twilio/media", "headers": [], "subprotocols": []}
        self.serving = asyncio.create_task(
            sockets.media_socket(scope, self._in.get, self._send), name="media socket"
        )

    def send(self, message: str | bytes) -> None:
        kind = "bytes" if isinstance(message, bytes) else "text"
        self._in.put_nowait({"type": "websocket.receive", kind: message})

    def close(self) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})

    def drop(self) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def over(self) -> int:
        """Until the server is done with it; its close code."""
        await asyncio.wait_for(self.serving, 60)
        return self.close_code or 1006

    async def _send(self, event: dict[str, Any]) -> None:
        if event["type"] == "websocket.send":
            text = event.get("text")
            self._hear(text if text is not None else event["bytes"])
        elif event["type"] == "websocket.close":
            self.close_code = event["code"]
            self.gone.set()
            self._ended()


def script(opened: Opened) -> wire.Script:
    return wire.Script(names.sid("MZ"), opened.sid, names.ACCOUNT)


async def carry(line: Line, opened: Opened) -> int:
    """One media stream of a call, until either side ends it."""
    stream = MediaStream(line, script(opened), parameters={"token": opened.token})
    socket = LocalSocket(stream.hear, stream.ended)
    hanging_up = asyncio.create_task(line.hung_up.wait())
    carrying = asyncio.create_task(stream.carry(socket))
    await asyncio.wait({hanging_up, carrying}, return_when=asyncio.FIRST_COMPLETED)
    stream.stop()
    hanging_up.cancel()
    await carrying
    line.do("over")
    return await socket.over()
