"""What may be a secret, on its way through Redis: the broker keeps a log of it on disk.

For a moment between our own processes: hidden from who reads that log, not proof against who
writes to the broker.
"""

from __future__ import annotations

import hashlib

from django.conf import settings

from convonet import secret


def sealed(data: bytes, name: str) -> bytes:
    """As long as `data`, and its own opposite; `name` is used once (an id of what it is)."""
    key = secret.derive(settings.SECRET_KEY, f"aside.{name}").encode()
    stream = hashlib.shake_256(key).digest(len(data))
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(len(data), "big")


def sealed_text(text: str, name: str) -> str:
    return sealed(text.encode(), f"{name}.text").hex()


def opened_text(hidden: str, name: str) -> str:
    """Raises ValueError for what `sealed_text` did not make."""
    return sealed(bytes.fromhex(hidden), f"{name}.text").decode()
