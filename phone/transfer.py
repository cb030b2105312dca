"""Whether a call is to be connected with a person now, and how."""

from __future__ import annotations

from twilio.twiml.voice_response import VoiceResponse

from phone.models import PhoneCall


def next_twiml(phone: PhoneCall) -> VoiceResponse | None:
    """None when nobody is wanted."""
    return None
