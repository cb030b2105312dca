"""A call's turns before this one, read as the history a model is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from voice.models import Turn
from workers.history import PastTool, PastTurn

_OVER = (Turn.State.DONE, Turn.State.INTERRUPTED, Turn.State.FAILED)
_PAST = ("number", "transcript", "state", "heard", "reply")


def earlier_turns(turn: Turn, most: int) -> list[PastTurn]:
    """The call's last turns before this one that had words, oldest first.

    In one query: a row for each tool call, and one for a turn that made none.
    """
    if turn.number == 1:
        return []
    # Numbers whose turn had no words are few.
    before = Turn.objects.filter(call_id=turn.call_id, number__lt=turn.number)
    return _read(before.filter(number__gte=turn.number - 2 * most), most)


def last_turns(call_id: UUID | str, most: int) -> list[PastTurn]:
    """The call's last turns that are over and had words, oldest first."""
    over = Turn.objects.filter(call_id=call_id, state__in=_OVER)
    last = over.exclude(transcript="").order_by("-number").values_list("number", flat=True)[:most]
    return _read(over.filter(number__in=list(last)), most)


def _read(turns: QuerySet[Turn], most: int) -> list[PastTurn]:
    found = (
        turns.exclude(transcript="")
        .order_by("number", "tool_calls__started_at", "tool_calls__pk")
        .values_list(*_PAST, "tool_calls__name", "tool_calls__arguments", "tool_calls__result")
    )
    past = [_past(turn, rows) for turn, rows in groupby(found, key=itemgetter(slice(len(_PAST))))]
    return past[-most:]


def _past(past: tuple[int, str, str, str, str], rows: Iterable[tuple[Any, ...]]) -> PastTurn:
    number, transcript, state, heard, reply = past
    interrupted = state == Turn.State.INTERRUPTED
    tools = [
        PastTool(name, dict(arguments) if isinstance(arguments, Mapping) else {}, result)
        for *_, name, arguments, result in rows
        if name is not None
    ]
    return PastTurn(number, transcript, heard if interrupted else reply, interrupted, tools)
