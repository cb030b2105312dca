"""Wishes to be connected with a person: written by a tool or a key, and void once taken back.

No TwiML here: the tool server and the workers read this too.
"""

from __future__ import annotations

import logging
import re
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from phone import transfer_steps
from phone.directory import Option
from phone.models import Department, Transfer
from phone.transfer_steps import Progress
from voice.models import Business, Call, ToolCall, Turn
from voice.preferences import business_of
from voice.records import in_database_thread

logger = logging.getLogger(__name__)
State = Transfer.State
TOOL = "transfer_to_person"
PRESSED = "pressed the emergency key"
# Said while one waits to be put through; anything else takes the wish back.
_COURTESY_TEXT = (
    "ok okay yes yeah yep thanks thank you very much so a lot great perfect good fine all right "
    "alright sure please do that cool super lovely wonderful excellent bye goodbye hello hi uh um "
    "hm hmm mhm then that's nice"
)
_COURTESY = frozenset(_COURTESY_TEXT.split())
_WAITING = re.compile(r"\bi(?:'ll| will| can) (?:wait|hold)\b", re.IGNORECASE)


def business_for(call: Call) -> Business | None:
    """Whose people may be connected: that of the number called, else of the person who calls."""
    return call.business or business_of(call.user_id)


def want(call: Call, option: Option, reason: str) -> Transfer:
    """Once the stream is over they are dialled. A wish takes the place of an earlier one."""
    waiting = Transfer.objects.filter(call=call, state=State.WANTED)
    waiting.update(state=State.ABANDONED, ended_at=timezone.now())
    return Transfer.objects.create(
        call=call,
        department=option.department,
        contact=option.contact,
        reason=" ".join(reason.split())[:200],
        emergency=option.department.is_emergency,
    )


def emergency(call_id: str) -> bool:
    """The caller has pressed the emergency key; False where it does nothing.

    Once written, the stream may be closed. Pressed again it changes nothing.
    """
    call = Call.objects.select_related("business").filter(pk=call_id).first()
    business = business_for(call) if call else None
    if call is None or business is None or not business.emergency_key:
        return False
    department = Department.objects.filter(business=business, is_emergency=True).first()
    if department is None:
        logger.warning("emergency key without department", extra={"business_id": business.pk})
        return False
    with transaction.atomic():
        Call.objects.select_for_update().get(pk=call.pk)
        if Transfer.objects.filter(call=call, emergency=True, state__in=transfer_steps.OPEN):
            return True
        want(call, Option(department), PRESSED)
    logger.warning("emergency key pressed", extra={"call_id": str(call.pk)})
    return True


emergency_async = in_database_thread(emergency)


def open_one(call_id: UUID | str) -> Transfer | None:
    """The wish that is not fulfilled yet; call it in a transaction, for it is locked."""
    rows = Transfer.objects.select_for_update(of=("self",))
    found = rows.filter(call_id=call_id, state__in=transfer_steps.OPEN)
    return found.select_related("department", "call").order_by("emergency", "created_at").last()


def taken_back(wish: Transfer) -> bool:
    """The caller has gone on to talk with the agent instead."""
    if wish.emergency or wish.state != State.WANTED:
        return False
    later = Turn.objects.filter(call_id=wish.call_id, created_at__gt=wish.created_at)
    # The turn that wished it is no later one, whatever the clocks of two machines say.
    later = later.exclude(tool_calls__name=TOOL)
    return any(not is_courtesy(said) for said in later.values_list("transcript", flat=True) if said)


def goes_on(turn: Turn) -> bool:
    """A word of thanks in place of the sentence it broke off: the caller still waits."""
    if turn.call.channel != Call.Channel.PHONE or not is_courtesy(turn.transcript):
        return False
    wish = Transfer.objects.filter(call_id=turn.call_id, state=State.WANTED).last()
    return wish is not None and not taken_back(wish)


def is_courtesy(said: str) -> bool:
    """Words that ask for nothing; silence is none."""
    words = re.findall(r"[\w']+", _WAITING.sub("ok", said[:200].lower()))
    return bool(words) and all(word in _COURTESY for word in words)


def caller_left(call_id: UUID | str) -> None:
    """The call is over: nobody is to be dialled for it any more."""
    with transaction.atomic():
        wish = open_one(call_id)
        if wish is not None:
            save(wish, transfer_steps.caller_left(progress(wish)))


def progress(wish: Transfer) -> Progress:
    return Progress(wish.state, tuple(wish.tried))


def save(wish: Transfer, now: Progress) -> None:
    """Within the transaction that has locked the row."""
    wish.state, wish.tried = State(now.state), list(now.tried)
    if now.state == State.TALKING:
        wish.contact_id = now.tried[-1]["contact"]
    if now.state not in transfer_steps.OPEN and wish.ended_at is None:
        wish.ended_at = timezone.now()
        fields = {"call_id": str(wish.call_id), "ended": now.state, "tries": now.place}
        logger.info("transfer ended", extra=fields)
    wish.save(update_fields=["state", "tried", "contact", "ended_at"])


def remember_missed(wish: Transfer, sentence: str) -> None:
    """The agent shall know what became of it when the caller talks on."""
    asked = ToolCall.objects.filter(turn__call_id=wish.call_id, name=TOOL, ok=True)
    last = asked.order_by("turn__number", "pk").last()
    if last is not None and not wish.emergency:
        last.result = {**(last.result or {}), "outcome": sentence}
        last.save(update_fields=["result"])
