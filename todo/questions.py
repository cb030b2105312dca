"""Things asked before acting, and what counts as an answer.

A question is answered only in a later turn of the call it was asked in: what a model says in the
same turn is not the caller's word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from todo.actor import Actor
from todo.models import Question

Kind = Literal["which", "confirm"]
# A yes that comes later than this was said to something else.
OPEN_FOR = timedelta(minutes=10)
_YES = re.compile(
    r"(?:oh |well |um )?(?:yes|yeah|yep|yup|ya|sure|ok|okay|right|correct|exactly|absolutely"
    r"|certainly|definitely|confirm(?:ed)?|affirmative|please(?: do)?|do (?:it|that|so)|go ahead"
    r"|of course|that'?s (?:it|right)|i do|it is|delete (?:it|them|all)|all right|alright)\b"
)
_NO = re.compile(
    r"(?:oh |well |um )?(?:no|nope|nah|not|don'?t|do not|cancel|never ?mind|stop|leave (?:it|them)"
    r"|keep (?:it|them)|neither|none|nothing|forget (?:it|that)|wait|hold on)\b[\s,.!]*"
)


def ask(
    actor: Actor, tool: str, kind: Kind, question: str, ids: Sequence[int], values: dict[str, Any]
) -> Question:
    """Keep what a yes or a choice will act on: these ids, with these values."""
    lapse(actor)
    return Question.objects.create(
        owner=actor.user,
        call_id=actor.call_id,
        turn_id=actor.turn_id,
        tool=tool,
        arguments={"kind": kind, "ids": list(ids), "values": values},
        question=question[:300],
        created_at=actor.now,
    )


def last_open(actor: Actor, question_id: UUID | None = None) -> Question | None:
    """This call's last question that waits for its answer."""
    waiting = Question.objects.filter(
        owner=actor.user,
        call_id=actor.call_id,
        answered_at=None,
        created_at__gte=actor.now - OPEN_FOR,
    )
    if question_id is not None:
        waiting = waiting.filter(pk=question_id)
    return waiting.order_by("-created_at").first()


def answerable(actor: Actor, question: Question) -> bool:
    return actor.turn_id is not None and question.turn_id != actor.turn_id


def close(actor: Actor, question: Question) -> None:
    question.answered_at = actor.now
    question.save(update_fields=["answered_at"])


def lapse(actor: Actor) -> None:
    """The person went on to something else: an old question must not be answered by chance.

    What was asked in this very turn stays open: "delete everything and add milk" asks about one.
    """
    waiting = Question.objects.filter(owner=actor.user, call_id=actor.call_id, answered_at=None)
    waiting.exclude(turn_id=actor.turn_id).update(answered_at=actor.now)


def read_answer(text: str) -> tuple[Literal["yes", "no", "choice"], str]:
    """("choice", words) for what is neither: "the second one", or "no, the dentist one"."""
    lowered = re.sub(r"\s+", " ", text.lower().strip(" .,!?\"'").replace("’", "'"))
    refused = _NO.match(lowered)
    if refused:
        rest = lowered[refused.end() :].strip()
        small = re.fullmatch(
            r"(?:thanks?|thank you|please|it|that|them|one|of them|any|now)?.{0,2}", rest
        )
        return ("no", "") if small or len(rest.split()) < 2 else ("choice", rest)
    agreed = _YES.match(lowered)
    if agreed:
        rest = lowered[agreed.end() :].strip(" ,.!")
        return ("yes", rest)
    return ("choice", lowered)
