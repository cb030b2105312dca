"""The two sockets as raw ASGI callables: accept, check, decode nothing, hand over, close.

Raw and not `AsyncWebsocketConsumer`, which makes a task, a wait and a thread hop per message.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import RedisError

from voice import browser_stream as wire
from voice import doors, events, keys, records
from voice.call import CallSession
from voice.controls import Start
from voice.errors import BrokerLost, Refused
from voice.setup import CallSetup
from voice.turns import HangUp
from voice.wiring import Services, services

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

NOT_ABLE = "I am not able to take calls right now. Please try again in a minute."
# Pages that tell nothing and hear nothing for long are gone; browsers answer pings by themselves.
PAGE_OUTBOX = 200
BYE_SECONDS = 2.0


async def call_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """`/ws/call`"""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        end = await _admit(scope, receive, send)
    except Refused as refusal:
        logger.warning("call refused", extra={"code": refusal.code})
        end = HangUp(refusal.code, refusal.reason, refusal.sentence)
    except (BrokerLost, RedisError, OSError, TimeoutError) as error:
        logger.error("call not taken", extra={"reason": type(error).__name__})
        end = HangUp(4503, "not able", NOT_ABLE)
    except Exception:
        # Top of the call: whatever is left becomes one log line and a sentence for the caller.
        logger.exception("call broke")
        end = HangUp(4503, "broken", "Something went wrong on my side, so I hung up.")
    if end.text:
        await _say_bye(send, end.reason, end.text)
    await close(send, end.code, end.reason)


async def _admit(scope: dict[str, Any], receive: Receive, send: Send) -> HangUp:
    joined = services()
    user = await doors.caller(scope, joined.redis)
    async with joined.switchboard.admitted(f"user:{user.pk}"):
        start = await _start(receive, joined)
        setup = CallSetup(
            user_id=user.pk,
            channel="browser" if doors.is_page(scope) else "command",
            time_zone=start.time_zone,
            wire=wire.BrowserWire(joined.browser_format),
        )
        around = joined.around(setup.wire.format)
        session = CallSession(setup, around, lambda message: send_message(send, message))
        return await session.run(Messages(receive))


async def _start(receive: Receive, joined: Services) -> Start:
    try:
        async with asyncio.timeout(joined.options.start_seconds):
            message = await next_message(receive)
    except TimeoutError:
        raise Refused(4408, "The call was opened but never begun.") from None
    control = wire.decode(message) if isinstance(message, str) else None
    if not isinstance(control, Start):
        raise Refused(4400, "A call begins with a start message.")
    return control


async def page_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """`/ws/page`"""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        user = doors.page_user(scope)
        await _tell_page(user.pk, receive, send)
        code = 1000
    except Refused as refusal:
        await _say_bye(send, "refused", refusal.sentence)
        code = refusal.code
    await close(send, code)


async def _tell_page(user_id: int, receive: Receive, send: Send) -> None:
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=PAGE_OUTBOX)

    def on_event(event: events.Event) -> None:
        message = page_message(event)
        if message is not None and not outbox.full():
            outbox.put_nowait(message)

    async def tell() -> None:
        while True:
            await _say(send, await outbox.get())

    hub, stream = services().hub, keys.person_stream(user_id)
    await hub.subscribe(stream, on_event, from_start=False)
    telling = asyncio.create_task(tell(), name="page")
    try:
        while (message := await next_message(receive)) is not None:
            await _page_said(user_id, message)
    finally:
        telling.cancel()
        hub.unsubscribe(stream, on_event)


async def _page_said(user_id: int, message: str | bytes) -> None:
    try:
        said = json.loads(message)
        if said["type"] == "reminder_told":
            await records.reminder_told(user_id, int(said["id"]))
    except (ValueError, KeyError, TypeError):
        raise Refused(4400, "This is not a message of the page protocol.") from None


def page_message(event: events.Event) -> dict[str, Any] | None:
    match event:
        case events.TodosChanged():
            return {
                "type": "todos_changed",
                "summary": event.summary,
                "change": event.change_id,
                "todos": event.todo_ids,
                "reminders": event.reminder_ids,
            }
        case events.ReminderDue():
            return {
                "type": "reminder",
                "id": event.reminder_id,
                "text": event.text,
                "speech": event.speech,
                "audio": f"/reminders/{event.reminder_id}/speech.wav",
            }
        case _:
            return None


async def next_message(receive: Receive) -> str | bytes | None:
    """The next message's content; None when the socket is gone."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        return None
    data: bytes | None = message.get("bytes")
    return data if data is not None else str(message["text"])


class Messages:
    """The messages of a socket: awaited one by one, or `hand_to` somebody as they come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def __call__(self) -> str | bytes | None:
        return await next_message(self._receive)

    def hand_to(self, take: Callable[[str | bytes | None], None]) -> bool:
        """From now on on no task of ours, None at the end; False: this server cannot do that."""
        hand_to = getattr(self._receive, "hand_to", None)
        if hand_to is not None:
            hand_to(take)
        return hand_to is not None


async def send_message(send: Send, message: str | bytes) -> None:
    """Does nothing once the far end has begun to close: `next_message` tells that next."""
    kind = "bytes" if isinstance(message, bytes) else "text"
    # uvicorn raises from then on.
    with contextlib.suppress(OSError):
        await send({"type": "websocket.send", kind: message})


async def close(send: Send, code: int, reason: str = "") -> None:
    with contextlib.suppress(OSError):
        await send({"type": "websocket.close", "code": code, "reason": reason})


async def _say(send: Send, message: dict[str, Any]) -> None:
    await send_message(send, wire.encode(message))


async def _say_bye(send: Send, reason: str, text: str) -> None:
    # A far end that stopped reading holds up whoever tells it so (uvicorn).
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BYE_SECONDS):
            await _say(send, {"type": "bye", "reason": reason, "text": text})


async def unknown_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Any other path: refused before it is accepted."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})
