"""Which providers were asked in each of some turns."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

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
