"""Which providers were asked in each of some turns."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from voice.models import ProviderUse, Turn


def by_turn(turns: Iterable[Turn]) -> dict[UUID, list[ProviderUse]]:
    """Oldest first; an entry for every turn, in one query.

    Speech is recognised before there is a turn: what was asked then is found by the utterance.
    """
    found: dict[UUID, list[ProviderUse]] = {turn.pk: [] for turn in turns}
    of_utterance = {turn.utterance_id: turn.pk for turn in turns if turn.utterance_id}
    heard = Q(turn=None, utterance_id__in=of_utterance)
    for use in ProviderUse.objects.filter(Q(turn__in=found) | heard).order_by("pk"):
        found[use.turn_id or of_utterance[use.utterance_id]].append(use)
    return found


def with_turns(uses: QuerySet[ProviderUse]) -> QuerySet[ProviderUse]:
    """Adds `turn_found` and `turn_number`, both None where no turn came of it."""
    heard = Turn.objects.filter(
        call=OuterRef("call"), utterance_id=OuterRef("utterance_id")
    ).exclude(utterance_id="")
    return uses.annotate(
        turn_found=Coalesce(F("turn__pk"), Subquery(heard.values("pk")[:1])),
        turn_number=Coalesce(F("turn__number"), Subquery(heard.values("number")[:1])),
    )
