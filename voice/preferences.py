"""What a person, else their business, has chosen; what the server does otherwise is not known here.

Read by the worker that takes the turn and by the page's settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model

from voice.models import Business, ProviderUse

Why = ProviderUse.Why
_OWN = ("call_preferences__language_model", "call_preferences__voice")
_OF_BUSINESS = ("businesses__language_model", "businesses__voice")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Empty values: nobody chose. `why` tells who chose the language model."""

    language_model: str = ""
    why: str = Why.SERVER
    voice: str = ""
    voice_why: str = Why.SERVER
    """Who chose the voice."""


def chosen(user_id: int) -> Chosen:
    """In one query, for a turn waits for it."""
    person = get_user_model().objects.filter(pk=user_id).order_by("businesses__pk")
    found = person.values_list(*_OWN, *_OF_BUSINESS).first() or ("",) * 4
    own_model, own_voice, model, voice = (value or "" for value in found)
    return Chosen(*_first(own_model, model), *_first(own_voice, voice))


def business_of(user_id: int) -> Business | None:
    """The one whose choices hold for this person; of several the oldest."""
    return Business.objects.filter(members=user_id).order_by("pk").first()


def _first(own: str, of_business: str) -> tuple[str, str]:
    """And who chose it."""
    if own:
        return own, Why.USER
    return (of_business, Why.BUSINESS) if of_business else ("", Why.SERVER)
