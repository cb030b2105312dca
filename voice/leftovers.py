"""The rows of turns that nobody works on any more: found, and claimed by one process to be queued.

Every change is conditional on what was seen, so any number of web processes may look at once.
Synchronous; `voice.sweeper` calls it on the database thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from voice import leases
from voice.models import Call, Turn
from voice.records import this_process

State = Turn.State
OPEN = [State.TRANSCRIBING, State.WAITING, State.THINKING]

# A healthy worker takes a turn within milliseconds.
QUEUED_SECONDS = 10.0
SERVED_SECONDS = 15.0
SAY_SERVED_SECONDS = 4.0
NOT_HEARD = "not heard"


@dataclass(frozen=True, slots=True)
class Unheard:
    """A turn that waits for its words."""

    turn_id: str
    call_id: str
    utterance_id: str
    call_ended: bool


@dataclass(frozen=True, slots=True)
class Found:
    calls_ended: int
    lost: list[str]
    """Ids of turns to be queued now."""
    unheard: list[Unheard]
    waiting: list[Turn]
    """To be queued if they are in no queue and a worker lives."""


def look(now: datetime) -> Found:
    """One look at everything, on one connection."""
    say_served(now)
    return Found(end_abandoned_calls(now), take_lost(now), unheard(now), waiting(now))


def say_served(now: datetime) -> None:
    """This process lives, and so do its calls."""
    mine = Call.objects.filter(served_by=this_process(), ended_at__isnull=True)
    due = mine.filter(served_at__lt=now - timedelta(seconds=SAY_SERVED_SECONDS))
    if due.exists():
        mine.update(served_at=now)


def end_abandoned_calls(now: datetime) -> int:
    """End the calls of web processes that are dead; returns how many."""
    before = now - timedelta(seconds=SERVED_SECONDS)
    unknown = Q(served_at__isnull=True, started_at__lt=before)
    calls = Call.objects.filter(unknown | Q(served_at__lt=before), ended_at__isnull=True)
    ended = 0
    for pk in calls.values_list("pk", flat=True):
        ended += calls.filter(pk=pk).update(ended_at=now, end_reason="web process ended")
        unheard = Turn.objects.filter(call_id=pk, state=State.SPEAKING)
        unheard.update(state=State.INTERRUPTED, finished_at=now)
    return ended


def take_lost(now: datetime) -> list[str]:
    """Turns whose worker is dead or silent, each given to one caller of this per 10 s."""
    held = Turn.objects.filter(lease_until__isnull=False)
    return [
        str(turn.pk)
        for turn in held.only("attempts", "lease_until", "lease_holder", "queued_at")
        if leases.is_lost(turn, now) and _due(turn, now) and _ask(turn, now)
    ]


def waiting(now: datetime) -> list[Turn]:
    """Turns that a worker was asked for long ago, or that a dead web process did not come to.

    Of a call that is over the earliest goes first; one that is under way brings them in order.
    """
    before = now - timedelta(seconds=QUEUED_SECONDS)
    earlier = Turn.objects.filter(
        call=OuterRef("call"), number__lt=OuterRef("number"), state__in=OPEN
    )
    left = Q(queued_at__isnull=True, call__ended_at__isnull=False, created_at__lt=before)
    turns = Turn.objects.filter(Q(queued_at__lt=before) | (left & ~Exists(earlier)))
    return list(turns.filter(state=State.WAITING).order_by("created_at")[:50])


def take_waiting(turn: Turn, now: datetime) -> bool:
    """Whether it is this caller who is to queue it."""
    return _ask(turn, now)


def unheard(now: datetime) -> list[Unheard]:
    before = now - timedelta(seconds=QUEUED_SECONDS)
    asked = Q(queued_at__isnull=True) | Q(queued_at__lt=before)
    turns = Turn.objects.filter(asked, state=State.TRANSCRIBING, created_at__lt=before)
    return [
        Unheard(str(t.pk), str(t.call_id), t.utterance_id, t.call.ended_at is not None)
        for t in turns.select_related("call").order_by("created_at")[:50]
    ]


def take_unheard(turn_id: str, now: datetime) -> bool:
    turn = Turn.objects.filter(pk=turn_id, state=State.TRANSCRIBING).first()
    return turn is not None and _due(turn, now) and _ask(turn, now)


def set_words(turn_id: str, text: str) -> None:
    """What was said, heard after the web process that asked for it had died."""
    still = Turn.objects.filter(pk=turn_id, state=State.TRANSCRIBING)
    still.update(state=State.WAITING, transcript=text, queued_at=None)


def drop(turn_id: str) -> None:
    """It was no speech."""
    Turn.objects.filter(pk=turn_id, state=State.TRANSCRIBING).delete()


def fail_unheard(turn_id: str, now: datetime) -> None:
    still = Turn.objects.filter(pk=turn_id, state=State.TRANSCRIBING)
    still.update(state=State.FAILED, error=NOT_HEARD, finished_at=now)


def _due(turn: Turn, now: datetime) -> bool:
    asked = turn.queued_at
    return asked is None or asked < now - timedelta(seconds=QUEUED_SECONDS)


def _ask(turn: Turn, now: datetime) -> bool:
    seen = Turn.objects.filter(pk=turn.pk, attempts=turn.attempts, queued_at=turn.queued_at)
    return bool(seen.update(queued_at=now))
