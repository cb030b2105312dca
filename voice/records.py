"""The rows of a call: written when something has happened, before anything is done about it.

All functions run on the process's one database thread; the event loop never waits in the ORM.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import close_old_connections, connections, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from convonet import database
from todo import reminders
from todo.models import Reminder
from voice import uses
from voice.ears import Verdict
from voice.models import Call, Turn
from voice.turns import LiveTurn, Outcome
from voice.unfinished import Taken, Unfinished

P = ParamSpec("P")
R = TypeVar("R")

State = Turn.State
OPEN = (State.TRANSCRIBING, State.WAITING, State.THINKING, State.SPEAKING)
# More do not wait to be answered in one call.
MOST_TAKEN = 8


def this_process() -> str:
    """Which of several web processes a call is in. Another one in each fork."""
    return _name_of(os.getpid())


@cache
def _name_of(pid: int) -> str:
    return uuid.uuid4().hex


def in_database_thread(function: Callable[P, R]) -> Callable[P, Any]:
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # A server that restarted has closed our connection; this is no request that would notice.
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            database.keep()

    return sync_to_async(run, thread_sensitive=True)


@in_database_thread
def close_database() -> None:
    """Until the next question; for when there is none."""
    connections.close_all()


@in_database_thread
def active_user(user_id: int) -> Any:
    """The user, or None when gone or disabled."""
    return get_user_model().objects.filter(pk=user_id, is_active=True).first()


@in_database_thread
def open_call(call_id: str, user_id: int, channel: str, time_zone: str, audio_format: str) -> None:
    Call.objects.create(
        id=uuid.UUID(call_id),
        user_id=user_id,
        channel=channel,
        time_zone=time_zone,
        audio_format=audio_format,
        served_by=this_process(),
        served_at=timezone.now(),
    )


@in_database_thread
def take_call(call_id: str) -> Taken:
    """The call goes on in this process, with what nobody heard the answer of."""
    rows = Call.objects.filter(pk=call_id)
    with transaction.atomic():
        left_at = rows.values_list("ended_at", flat=True).get()
        rows.update(
            served_by=this_process(), served_at=timezone.now(), ended_at=None, end_reason=""
        )
        turns = Turn.objects.filter(call_id=call_id)
        last = turns.aggregate(last=Max("number"))["last"]
        heard = turns.filter(Q(state=State.DONE) | ~Q(heard="")).aggregate(last=Max("number"))
        after = turns.filter(number__gt=heard["last"] or 0).filter(_unheard(left_at))
        return Taken(int(last or 0), tuple(map(_unfinished, after.order_by("number")[:MOST_TAKEN])))


def _unheard(left_at: datetime | None) -> Q:
    """Turns under way, and those that ended while nobody was there to hear them."""
    unheard = Q(state__in=OPEN) | Q(state=State.FAILED) & ~Q(reply="")
    if left_at is not None:
        unheard |= Q(state=State.INTERRUPTED, finished_at__gte=left_at) & ~Q(reply="")
    return unheard


def _unfinished(turn: Turn) -> Unfinished:
    return Unfinished(
        turn_id=str(turn.pk),
        number=turn.number,
        source="typed" if turn.source == Turn.Source.TYPED else "voice",
        utterance_id=turn.utterance_id,
        transcript=None if turn.state == State.TRANSCRIBING else turn.transcript,
        language=turn.language,
    )


@in_database_thread
def let_go(call_id: str, audio_in_ms: int, dropped_chunks: int) -> None:
    """The call's socket broke, and another one may take it within moments.

    As if this process were dead: its turns stay as they are, and if nobody takes it, it is ended.
    """
    Call.objects.filter(pk=call_id, served_by=this_process()).update(
        served_by="",
        served_at=timezone.now(),
        audio_in_ms=F("audio_in_ms") + audio_in_ms,
        dropped_chunks=F("dropped_chunks") + dropped_chunks,
    )


@in_database_thread
def identify(call_id: str, user_id: int) -> None:
    """The caller has shown to be this person: what they say from here on is theirs."""
    Call.objects.filter(pk=call_id).update(user_id=user_id, identified=True)


@in_database_thread
def close_call(call_id: str, reason: str, audio_in_ms: int, dropped_chunks: int) -> None:
    """End its row, and the turns whose answer nobody stayed to hear.

    The row first: a worker that writes an answer after this sees it and ends the turn itself.
    """
    now = timezone.now()
    ended = Call.objects.filter(pk=call_id, served_by=this_process()).update(
        ended_at=now,
        end_reason=reason[:40],
        # A telephone call may have had other sockets before.
        audio_in_ms=F("audio_in_ms") + audio_in_ms,
        dropped_chunks=F("dropped_chunks") + dropped_chunks,
    )
    if not ended:
        # Another process carries it by now.
        return
    unheard = Turn.objects.filter(call_id=call_id, state=Turn.State.SPEAKING)
    unheard.update(state=Turn.State.INTERRUPTED, finished_at=now)


@in_database_thread
def begin_turn(call_id: str, turn: LiveTurn, *, asked: bool) -> None:
    """`asked`: its words are known, and a worker is about to be asked for."""
    Turn.objects.create(
        id=uuid.UUID(turn.id),
        call_id=uuid.UUID(call_id),
        number=turn.number,
        source=turn.source,
        state=Turn.State.TRANSCRIBING if turn.transcript is None else Turn.State.WAITING,
        transcript=turn.transcript or "",
        language=turn.language[:10],
        utterance_ms=turn.utterance_ms,
        utterance_id=turn.utterance_id,
        transcript_ms=turn.timings_ms.get("transcript"),
        queued_at=timezone.now() if asked else None,
    )


@in_database_thread
def set_transcript(turn: LiveTurn) -> None:
    """Write the caller's words and that a worker is about to be asked for."""
    rows = Turn.objects.filter(pk=turn.id)
    rows.filter(state__in=[Turn.State.TRANSCRIBING, Turn.State.WAITING]).update(
        state=Turn.State.WAITING,
        transcript=turn.transcript or "",
        language=turn.language[:10],
        transcript_ms=turn.timings_ms.get("transcript"),
        queued_at=timezone.now(),
    )


@in_database_thread
def charge(call_id: str, verdict: Verdict, model: str) -> None:
    """Keep that the live recogniser was asked; a failure to do so costs a log line."""
    use = uses.Use(
        uses.Stage.HEAR,
        "deepgram",
        model,
        error=verdict.error,
        first_ms=verdict.first_ms,
        took_ms=verdict.took_ms,
        audio_ms=verdict.audio_ms,
    )
    uses.record(use, call_id=call_id, utterance_id=verdict.command.utterance_id)


@in_database_thread
def drop_turn(turn_id: str) -> None:
    Turn.objects.filter(pk=turn_id).delete()


@in_database_thread
def finish_turn(turn: LiveTurn, outcome: Outcome, heard: str) -> None:
    row: dict[str, Any] = {
        "state": Turn.State(outcome),
        "heard": heard,
        "finished_at": timezone.now(),
        "first_audio_ms": turn.timings_ms.get("first_audio"),
    }
    if error := turn.error or turn.unsaid:
        row["error"] = error[:60]
    Turn.objects.filter(pk=turn.id).update(**row)


@in_database_thread
def missed_reminders(user_id: int) -> list[tuple[int, str]]:
    """(id, text) of reminders that came due while nobody was there, oldest first, at most 3."""
    user = get_user_model().objects.get(pk=user_id)
    return [(reminder.pk, reminder.text) for reminder in reminders.missed(user)[:3]]


@in_database_thread
def reminder_told(user_id: int, reminder_id: int) -> None:
    """Somebody else's reminder is left alone."""
    reminder = Reminder.objects.filter(pk=reminder_id, owner_id=user_id).first()
    if reminder is not None:
        reminders.told(reminder, timezone.now())
