"""Whether this service has a telephone. Imports nothing that only such a one has installed."""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings


def is_present() -> bool:
    """A token is set, and what it takes is installed; `convonet.checks` tells what is missing."""
    return bool(settings.TWILIO_AUTH_TOKEN) and is_installed()


def is_installed() -> bool:
    return find_spec("twilio") is not None
