"""Calls people whose reminder is due and who wish it: places the calls, and asks after them.

Twilio's Calls resource, https://www.twilio.com/docs/voice/api/call-resource, by httpx. What happens
in the call is `phone.ringing_views`, and which row may call when `phone.ringing`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone

from phone import ring_states, ringing
from phone.models import Ringing
from phone.ring_states import Happened, RingOptions, State

logger = logging.getLogger("workers.ringing")

CONNECT_SECONDS = 3.0
# Twilio answers within a second; the task may run for 40.
WAIT_SECONDS = 10.0
_BUSY = frozenset((408, 429, 503))


@dataclass(frozen=True, slots=True)
class Answer:
    """What Twilio said: `happened` None while the call goes on; `code` is of its own errors."""

    happened: Happened | None
    sid: str = ""
    code: str = ""


def look(ringing_id: UUID, options: RingOptions | None = None) -> None:
    """Do what is due with that row: call, or find out what became of a call."""
    options = options or RingOptions()
    row = ringing.claim(ringing_id, timezone.now(), options)
    if row is not None:
        _place(row, options)
    elif (row := _overdue(ringing_id)) is not None:
        _ask_after(row, options)


def _place(row: Ringing, options: RingOptions) -> None:
    answer = _told("POST", "Calls.json", data=call_request(row, options))
    now = timezone.now()
    if answer.happened == Happened.LOST:
        # It may ring: whoever picks up is connected, and the row is looked at again in any case.
        logger.warning("reminder call not confirmed", extra=_fields(row, answer))
        return
    if answer.happened == Happened.REFUSED:
        logger.error("reminder call refused by Twilio", extra=_fields(row, answer))
    what, sid = answer.happened or Happened.PLACED, answer.sid
    if ringing.happened(row.pk, row.tries, what, now, options, sid=sid) is None:
        ringing.remember_sid(row.pk, row.tries, sid)


def _overdue(ringing_id: UUID) -> Ringing | None:
    rows = Ringing.objects.filter(pk=ringing_id, next_at__lte=timezone.now())
    return rows.filter(state__in=[State.PLACING, State.RINGING]).first()


def _ask_after(row: Ringing, options: RingOptions) -> None:
    """Nobody has told how the call went: ask, where its name is known."""
    what: Happened | None = Happened.LOST
    if row.sid and timezone.now() < row.reminder.due_at + options.latest:
        what = _told("GET", f"Calls/{row.sid}.json").happened
        if what in (None, Happened.DELAYED, Happened.LOST):
            ringing.look_again(row, timezone.now(), options)
            return
    ringing.happened(row.pk, row.tries, what or Happened.LOST, timezone.now(), options)


def call_request(row: Ringing, options: RingOptions) -> dict[str, str]:
    """The parameters of a new call; both addresses name the try, so that a late one is known."""
    here = f"{settings.PUBLIC_URL.rstrip('/')}/twilio/ring/{row.pk}"
    return {
        "To": row.number,
        "From": settings.TWILIO_NUMBER,
        "Url": f"{here}?try={row.tries}",
        "Method": "POST",
        "StatusCallback": f"{here}/status?try={row.tries}",
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": "completed",
        "Timeout": str(options.ring_seconds),
        "MachineDetection": "DetectMessageEnd",
        "MachineDetectionTimeout": str(options.machine_seconds),
        "MachineDetectionSpeechThreshold": str(options.speech_ms),
        "MachineDetectionSpeechEndThreshold": str(options.speech_end_ms),
        "MachineDetectionSilenceTimeout": str(options.silence_ms),
    }


def _told(method: str, path: str, **content: Any) -> Answer:
    account = settings.TWILIO_ACCOUNT_SID
    url = f"{settings.TWILIO_API_URL.rstrip('/')}/2010-04-01/Accounts/{account}/{path}"
    timeout = httpx.Timeout(WAIT_SECONDS, connect=CONNECT_SECONDS)
    auth = (account, settings.TWILIO_AUTH_TOKEN)
    try:
        return read(httpx.request(method, url, auth=auth, timeout=timeout, **content))
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        return Answer(Happened.DELAYED, code=type(error).__name__)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(Happened.LOST, code=type(error).__name__)


def read(response: httpx.Response) -> Answer:
    """Busy, refused for good, or the call; LOST when none of these can be told from it."""
    body = _json(response)
    status = response.status_code
    code = str(body.get("code") or status)[:10]
    if status in _BUSY:
        return Answer(Happened.DELAYED, code=code)
    if 400 <= status < 500:
        return Answer(Happened.REFUSED, code=code)
    sid = str(body.get("sid") or "")[:40]
    if not response.is_success or not sid:
        return Answer(Happened.LOST, code=code)
    return Answer(ring_states.ended(str(body.get("status", ""))), sid)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _fields(row: Ringing, answer: Answer) -> dict[str, object]:
    return {"ringing": str(row.pk), "tries": row.tries, "code": answer.code}
