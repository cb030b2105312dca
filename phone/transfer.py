"""Connects a caller with a person: one is dialled after the other until somebody takes the call.

Each step is made in a transaction that holds the wish's row, and one that was made already is
answered as before: Twilio repeats what it got no answer to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from twilio.twiml.voice_response import Gather, VoiceResponse

from phone import calls, transfer_steps, transfer_words, twiml, wishes
from phone.directory import Directory
from phone.models import Contact, PhoneCall, Transfer
from phone.signature import public_url
from phone.transfer_steps import DialEnd
from voice.models import Call

State = Transfer.State
emergency, emergency_async = wishes.emergency, wishes.emergency_async

DIALLED, WHISPER, ACCEPTED = "/twilio/dialled", "/twilio/whisper", "/twilio/accepted"
# Most mailboxes wait for longer.
RING_SECONDS = 20
KEY_SECONDS = 8


def next_twiml(phone: PhoneCall) -> VoiceResponse | None:
    """What follows the stream of a call in which somebody is wanted; None when nobody is."""
    with transaction.atomic():
        wish = wishes.open_one(phone.call_id)
        if wish is None:
            return None
        if wishes.taken_back(wish):
            wishes.save(wish, transfer_steps.caller_left(wishes.progress(wish)))
            return None
        first = wish.state == State.WANTED
        wishes.save(wish, transfer_steps.begin(wishes.progress(wish), _people(wish)))
        answer = _answer(phone, wish)
    if wish.emergency and first and wish.state == State.DIALLING:
        return _said_first(transfer_words.CONNECTING, answer)
    return answer


def dialled(phone: PhoneCall, wish_id: UUID, place: int, said: Mapping[str, str]) -> VoiceResponse:
    """A `<Dial>` has ended: the next one, the agent, or the end after a talk."""
    end = DialEnd(
        status=said.get("DialCallStatus", ""),
        joined=said.get("DialBridged", "true") != "false",
        caller_gone=said.get("CallStatus", "") in calls.FINAL,
    )
    with transaction.atomic():
        wish = _locked(wish_id, phone.call_id)
        if wish is None:
            return twiml.farewell()
        now = transfer_steps.dial_ended(wishes.progress(wish), place, end, _people(wish))
        wishes.save(wish, now)
        return _answer(phone, wish)


def whisper(wish_id: UUID, place: int, parent_sid: str) -> VoiceResponse:
    """What the person who has picked up hears, before a key of theirs joins them."""
    wish = _find(wish_id, parent_sid)
    if wish is None or wish.state != State.DIALLING or len(wish.tried) != place:
        return twiml.farewell()
    response = VoiceResponse()
    gather: Gather = response.gather(
        num_digits=1, timeout=KEY_SECONDS, action=_url(ACCEPTED, wish, place), finish_on_key=""
    )
    gather.say(transfer_words.whisper(wish), loop=2)
    # A mailbox presses no key.
    response.hangup()
    return response


def accepted(wish_id: UUID, place: int, parent_sid: str, digits: str) -> VoiceResponse:
    """A key was pressed: an empty answer joins them with the caller, if the caller still waits."""
    with transaction.atomic():
        known = _find(wish_id, parent_sid)
        wish = _locked(wish_id, known.call_id) if known and digits else None
        now = transfer_steps.take(wishes.progress(wish), place) if wish else None
        if wish is None or now is None:
            return twiml.farewell(transfer_words.TOO_LATE)
        wishes.save(wish, now)
    return VoiceResponse()


def _answer(phone: PhoneCall, wish: Transfer) -> VoiceResponse:
    """What Twilio is to do now; the same again for the same state."""
    if wish.state in (State.DIALLING, State.TALKING):
        return _dial(phone, wish)
    if wish.state == State.MISSED:
        return _back(phone, wish)
    calls.end(str(wish.call_id), "talked to a person" if wish.state == State.DONE else "hung up")
    return twiml.farewell()


def _dial(phone: PhoneCall, wish: Transfer) -> VoiceResponse:
    place = len(wish.tried)
    number, url = wish.tried[-1]["number"], _url(WHISPER, wish, place)
    _keep_open(wish.call_id, timezone.now())
    response = VoiceResponse()
    dial = response.dial(
        action=_url(DIALLED, wish, place),
        timeout=RING_SECONDS,
        answer_on_bridge=True,
        # Ours may always be shown; the caller's only where Twilio knows it to be theirs.
        caller_id=phone.ours or None,
    )
    if number.startswith("sip:"):
        dial.sip(number, url=url)
    else:
        dial.number(number, url=url)
    return response


def _back(phone: PhoneCall, wish: Transfer) -> VoiceResponse:
    """Nobody came: the agent has the caller again, and knows."""
    wishes.remember_missed(wish, transfer_words.nobody(wish))
    if not wish.emergency:
        return twiml.connect(phone, saying=transfer_words.missed(wish))
    # By Twilio's own voice: heard even while ours cannot speak.
    back = twiml.connect(phone, saying=transfer_words.ANYTHING_ELSE)
    return _said_first(transfer_words.NO_HELP, back)


def _said_first(text: str, answer: VoiceResponse) -> VoiceResponse:
    response = VoiceResponse()
    twiml.say(response, text)
    for verb in answer.verbs:
        response.append(verb)
    return response


def _people(wish: Transfer) -> Sequence[Contact]:
    """Whom to dial, as the directory is now."""
    call = wish.call
    business = wish.department.business if wish.department else wishes.business_for(call)
    if business is None:
        return []
    directory = Directory(business, timezone.now())
    return directory.to_try(wish.department, wish.contact, emergency=wish.emergency)


def _keep_open(call_id: UUID | str, now: datetime) -> None:
    """The call goes on without a stream of ours, so no web process says that it serves it.

    Twilio tells when it is over; until the longest call must be, nobody takes it for abandoned.
    """
    Call.objects.filter(pk=call_id).update(
        ended_at=None,
        end_reason="",
        served_by="",
        served_at=now + timedelta(seconds=settings.MAX_CALL_SECONDS),
    )


def _find(wish_id: UUID, sid: str) -> Transfer | None:
    rows = Transfer.objects.select_related("call__user", "call__phone", "department")
    return rows.filter(pk=wish_id, call__phone__sid=sid).first()


def _locked(wish_id: UUID, call_id: UUID | str) -> Transfer | None:
    rows = Transfer.objects.select_for_update(of=("self",)).select_related("department", "call")
    return rows.filter(pk=wish_id, call_id=call_id).first()


def _url(path: str, wish: Transfer, place: int) -> str:
    return public_url(f"{path}?{urlencode({'transfer': str(wish.pk), 'place': place})}")
