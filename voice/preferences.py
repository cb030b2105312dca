"""What a person, else their business, has chosen; what the server does otherwise is not known here.

Read by the worker that takes the turn and by the page's settings. Two small queries at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voice.models import Business, CallPreferences, ProviderUse

Why = ProviderUse.Why


@dataclass(frozen=True, slots=True)
class Chosen:
    """Empty values: nobody chose. `why` tells who chose the language model."""

    language_model: str = ""
    why: str = Why.SERVER
    voice: str = ""


def chosen(user_id: int) -> Chosen:
    own = CallPreferences.objects.filter(owner_id=user_id).first()
    if own is not None and own.language_model and own.voice:
        return Chosen(own.language_model, Why.USER, own.voice)
    business = business_of(user_id)
    voice = _first("voice", own, business)
    if own is not None and own.language_model:
        return Chosen(own.language_model, Why.USER, voice)
    if business is not None and business.language_model:
        return Chosen(business.language_model, Why.BUSINESS, voice)
    return Chosen(voice=voice)


def business_of(user_id: int) -> Business | None:
    """The one whose choices hold for this person; of several the oldest."""
    return Business.objects.filter(members=user_id).order_by("pk").first()


def _first(field: str, *rows: Any) -> str:
    return next((getattr(row, field) for row in rows if row and getattr(row, field)), "")
