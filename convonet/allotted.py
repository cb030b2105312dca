"""The profile of this process: as its environment says, else by what memory it may use."""

from __future__ import annotations

from collections.abc import Mapping

from convonet import allowance, env, profiles
from convonet.profiles import DERIVED, Profile

NAME, REASON = "CONVONET_PROFILE", "CONVONET_PROFILE_REASON"


def profile() -> Profile:
    """Raises ImproperlyConfigured for a name that is none."""
    wished = env.choice(NAME, DERIVED, [DERIVED, *profiles.PROFILES])
    return profiles.choose(allowance.read(), wished, env.text(REASON))


def environment() -> Mapping[str, str]:
    """What makes other processes choose the same, and tell the same reason for it."""
    chosen = profile()
    return {NAME: chosen.name, REASON: chosen.reason}
