"""What a person, else their business, has chosen; what the server does otherwise is not known here.

Read by the worker that takes the turn and by the page's settings. Two small queries at most.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.models import Business, CallPreferences, ProviderUse

Why = ProviderUse.Why


@dataclass(frozen=True, slots=True)
class Chosen:
    """Empty values: nobody chose. `why` tells who chose the language model."""

    language_model: str = ""
    why: str = Why.SERVER
    voice: str = ""
    voice_why: str = Why.SERVER
    """Who chose the voice."""


def chosen(user_id: int) -> Chosen:
    own = CallPreferences.objects.filter(owner_id=user_id).first()
    if own is not None and own.language_model and own.voice:
        return Chosen(own.language_model, Why.USER, own.voice, Why.USER)
    business = business_of(user_id)
    voice = _voice(own, business)
    if own is not None and own.language_model:
        return Chosen(own.language_model, Why.USER, *voice)
    if business is not None and business.language_model:
        return Chosen(business.language_model, Why.BUSINESS, *voice)
    return Chosen("", Why.SERVER, *voice)


def business_of(user_id: int) -> Business | None:
    """The one whose choices hold for this person; of several the oldest."""
    return Business.objects.filter(members=user_id).order_by("pk").first()


def _voice(own: CallPreferences | None, business: Business | None) -> tuple[str, str]:
    """And who chose it."""
    if own is not None and own.voice:
        return own.voice, Why.USER
    if business is not None and business.voice:
        return business.voice, Why.BUSINESS
    return "", Why.SERVER
