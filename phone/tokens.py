"""Stream tokens: a signed name of one media stream of one call, good once, within a minute.

They travel as a `<Parameter>`, which Twilio sends in its `start` message: no address and no log
ever holds one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core import signing

from voice import keys
from voice.errors import Refused

LIFETIME_SECONDS = 60
_SALT = "convonet.twilio.stream"


@dataclass(frozen=True, slots=True)
class StreamToken:
    call_id: str
    sid: str
    stream: int
    """Counts the streams of the call, from 1."""


def issue(call_id: str, sid: str, stream: int) -> str:
    return signing.dumps([call_id, sid, stream, uuid.uuid4().hex], salt=_SALT)


async def redeem(redis: Any, token: str, sid: str) -> StreamToken:
    """Raises `Refused(4401)` for a forged, old or used token, or one of another call."""
    try:
        call_id, own_sid, stream, token_id = signing.loads(
            token, salt=_SALT, max_age=LIFETIME_SECONDS
        )
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(4401, "This stream's token is not valid.") from None
    if own_sid != sid:
        raise Refused(4401, "This stream's token is another call's.")
    # Twice the lifetime: a token cannot outlive the note that it was used.
    fresh = await redis.set(keys.ticket(token_id), 1, nx=True, ex=2 * LIFETIME_SECONDS)
    if not fresh:
        raise Refused(4401, "This stream's token was used before.")
    return StreamToken(str(call_id), str(own_sid), int(stream))
