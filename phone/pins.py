"""PINs: four to six digits, kept as a keyed slow hash, compared without telling how far they agree.

The key comes from SECRET_KEY, so a stolen database alone tells no PIN.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings

from convonet import secret

LEAST_DIGITS, MOST_DIGITS = 4, 6
ITERATIONS = 600_000
# A hash takes a core 0.15 s: more at once would take it from the calls.
MOST_AT_ONCE = 2
_SCHEME = "pbkdf2_sha256"
_RISING, _FALLING = "01234567890", "09876543210"


def is_pin(text: str) -> bool:
    return text.isascii() and text.isdigit() and LEAST_DIGITS <= len(text) <= MOST_DIGITS


def is_guessable(pin: str) -> bool:
    """One digit throughout, or digits in a row: what everybody tries first."""
    return len(set(pin)) == 1 or pin in _RISING or pin in _FALLING


def hashed(pin: str) -> str:
    """At most 160 characters. Takes a core about 0.15 s. Raises ValueError for what is no PIN."""
    if not is_pin(pin):
        raise ValueError("not a PIN")
    salt = secrets.token_hex(16)
    return "$".join((_SCHEME, str(ITERATIONS), salt, _digest(pin, salt, ITERATIONS)))


def matches(pin: str, kept: str) -> bool:
    """As slow as `hashed`; False for anything that it did not make."""
    scheme, iterations, salt, digest = [*kept.split("$"), "", "", ""][:4]
    if scheme != _SCHEME or not iterations.isdigit():
        return False
    return hmac.compare_digest(_digest(pin, salt, int(iterations)), digest)


async def hashed_aside(pin: str) -> str:
    """As `hashed`, and beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), hashed, pin)


async def owner_of(pin: str, kept: Mapping[int, str]) -> int | None:
    """The key of the hash that is this PIN's; of several the first.

    Without hashes it takes as long as with one, so that nobody learns that there is none.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), _owner_of, pin, dict(kept))


def _owner_of(pin: str, kept: dict[int, str]) -> int | None:
    if not kept:
        _digest(pin, "nobody", ITERATIONS)
    found = [key for key, value in kept.items() if matches(pin, value)]
    return found[0] if found else None


def _digest(pin: str, salt: str, iterations: int) -> str:
    keyed = hmac.digest(_pepper(settings.SECRET_KEY), pin.encode(), "sha256")
    # OpenSSL's, which lets other threads run meanwhile.
    return hashlib.pbkdf2_hmac("sha256", keyed, salt.encode(), iterations).hex()


@cache
def _pepper(secret_key: str) -> bytes:
    return secret.derive(secret_key, "pin").encode()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="pin")
