"""Socket tickets: a signed name of a person that opens one socket, once, within a minute."""

from __future__ import annotations

import uuid
from typing import Any

from django.core import signing

from voice import keys
from voice.errors import Refused

LIFETIME_SECONDS = 60
_SALT = "convonet.ticket"


def issue(user_id: int) -> str:
    return signing.dumps([user_id, uuid.uuid4().hex], salt=_SALT)


async def redeem(redis: Any, ticket: str) -> int:
    """The user id; raises `Refused(4401)` for a forged, old or used ticket."""
    try:
        user_id, ticket_id = signing.loads(ticket, salt=_SALT, max_age=LIFETIME_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(4401, "This page's ticket is no longer valid. Reload the page.") from None
    # Twice the lifetime: a ticket cannot outlive the note that it was used.
    fresh = await redis.set(keys.ticket(ticket_id), 1, nx=True, ex=2 * LIFETIME_SECONDS)
    if not fresh:
        raise Refused(4401, "This page's ticket was used before. Reload the page.")
    return int(user_id)
