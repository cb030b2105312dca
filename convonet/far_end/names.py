"""Twilio's identifiers: two letters that say of what, and 32 hexadecimal digits."""

from __future__ import annotations

import secrets

ACCOUNT = "AC" + 30 * "0" + "a1"
AUTH_TOKEN = "token-of-the-far-end-00000000000"  # noqa: S105  # of a simulated account
CALLER = "+15005550006"
CALLED = "+15005550001"


def sid(prefix: str) -> str:
    """A new one: `CA` for calls, `MZ` for streams, `PN` for numbers."""
    return prefix + secrets.token_hex(16)
