"""`/twilio/media`: the socket of one media stream, as a raw ASGI callable.

Nothing is done, and no place taken, before its token is known to be good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from redis.exceptions import RedisError

from phone import after, attendant, calls, tokens
from phone.calls import PhoneCallFacts
from phone.media_stream import NotTheProtocol, StreamStart, TwilioWire, read_start
from phone.models import PhoneCall
from phone.recorded_call import RecordedCall
from phone.recorder import RedisShelf
from phone.refusals import Refusals
from phone.signature import is_stream_from_twilio
from voice.call import CallSession
from voice.errors import BrokerLost, Refused
from voice.models import Call
from voice.setup import CallSetup
from voice.small import Flag
from voice.sockets import Messages, Receive, Send, close, next_message, send_message
from voice.turns import HangUp
from voice.wiring import services

logger = logging.getLogger(__name__)

START_SECONDS = 10.0
# An earlier stream of the call, whose socket has not been noticed to be dead, ends within this.
REPLACE_SECONDS = 10.0
# `connected`, and whatever else a later version may say before `start`.
MESSAGES_BEFORE_START = 10
# Sockets that have shown nothing yet; those whose handshake Twilio signed come in all the same.
MOST_UNPROVEN = 100
refusals = Refusals(logger, "media stream refused")


@dataclass(frozen=True, slots=True)
class Carried:
    session: CallSession
    over: Flag


# One a call, removed when it ends.
_carried: dict[str, Carried] = {}
_unproven: set[object] = set()


async def media_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    await receive()
    offered = scope.get("subprotocols") or [None]
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    try:
        with _let_prove(scope):
            start = await _start(receive)
            call = await _redeem(start)
    except Refused as refusal:
        refusals.note(code=refusal.code, why=refusal.sentence)
        await close(send, refusal.code, "refused")
        return
    end = await _carry(call, start, receive, send)
    await close(send, end.code, end.reason)


@contextmanager
def _let_prove(scope: dict[str, Any]) -> Iterator[None]:
    """Hold a place while a socket has not shown its token; raises Refused when there is none."""
    mine = object()
    if len(_unproven) >= MOST_UNPROVEN and not is_stream_from_twilio(scope):
        raise Refused(4503, "Too many streams that have not started.")
    _unproven.add(mine)
    try:
        yield
    finally:
        _unproven.discard(mine)


async def _start(receive: Receive) -> StreamStart:
    """The stream's `start`; raises Refused."""
    try:
        async with asyncio.timeout(START_SECONDS):
            for _ in range(MESSAGES_BEFORE_START):
                message = await next_message(receive)
                if message is None:
                    break
                if (start := read_start(message)) is not None:
                    return start
    except TimeoutError:
        pass
    except NotTheProtocol:
        raise Refused(4400, "This stream's audio is not mu-law at 8 kHz.") from None
    raise Refused(4401, "The stream did not start.")


async def _redeem(start: StreamStart) -> PhoneCallFacts:
    """The call that the stream's token is for; raises Refused."""
    try:
        token = await tokens.redeem(services().redis, start.token, start.call_sid)
        call: PhoneCallFacts | None = await calls.facts_async(token.call_id, token.stream)
    except (RedisError, DatabaseError, OSError) as error:
        logger.error("media stream not taken", extra={"reason": type(error).__name__})
        raise Refused(4503, "The token could not be looked at.") from None
    if call is None:
        raise Refused(4401, "This stream's call is over, or has another stream.")
    return call


async def _carry(call: PhoneCallFacts, start: StreamStart, receive: Receive, send: Send) -> HangUp:
    """Until the stream ends, whatever it ends by; the call's row says why."""
    try:
        await _replace(call.call_id)
        async with services().switchboard.admitted(
            f"phone:{call.theirs or call.sid}", place=call.call_id, must=_is_under_way(call)
        ):
            return await _run(call, start, receive, send)
    except Refused as refusal:
        logger.warning("call refused", extra={"call_id": call.call_id, "code": refusal.code})
        await calls.end_async(call.call_id, after.NO_ROOM)
        return HangUp(refusal.code, after.NO_ROOM, "")
    except (BrokerLost, RedisError, OSError, TimeoutError) as error:
        fields = {"call_id": call.call_id, "reason": type(error).__name__}
        logger.error("call not taken", extra=fields)
    except Exception:
        # Top of the call: whatever is left becomes one log line, and /twilio/next says a sentence.
        logger.exception("call broke", extra={"call_id": call.call_id})
    # The row stays open: /twilio/next says a sentence, and has another stream opened.
    return HangUp(4503, "broken", "")


def _is_under_way(call: PhoneCallFacts) -> bool:
    """It comes back from a transfer or a broken stream, or somebody has answered whom we rang."""
    return call.stream > 1 or call.direction != PhoneCall.Direction.INBOUND


async def _replace(call_id: str) -> None:
    """A call has one stream: end the one before."""
    before = _carried.get(call_id)
    if before is not None:
        before.session.let_go()
        async with asyncio.timeout(REPLACE_SECONDS):
            await before.over.wait()


async def _run(call: PhoneCallFacts, start: StreamStart, receive: Receive, send: Send) -> HangUp:
    joined = services()
    wire = TwilioWire(start.stream_sid)
    shelf = RedisShelf(joined.redis, joined.queue)
    recording = RecordedCall(call.call_id, call.stream, wire, shelf)
    setup = CallSetup(
        id=call.call_id,
        row_exists=True,
        user_id=call.user_id,
        channel=Call.Channel.PHONE,
        time_zone=call.time_zone,
        wire=recording.wire,
        identified=call.identified,
        attend=recording.attending(attendant.attend(call, joined)),
        screen=False,
        resumable=True,
    )
    around = joined.around(wire.format)
    session = CallSession(setup, around, lambda message: send_message(send, message))
    carried = _carried[call.call_id] = Carried(session, Flag())
    try:
        async with recording.going_on():
            return await session.run(Messages(receive))
    finally:
        carried.over.set()
        if _carried.get(call.call_id) is carried:
            del _carried[call.call_id]
        if wire.ignored:
            fields = {"call_id": call.call_id, **_counts(wire)}
            logger.warning("stream messages ignored", extra=fields)


def _counts(wire: TwilioWire) -> dict[str, int]:
    return {kind.replace(" ", "_"): count for kind, count in wire.ignored.items()}
