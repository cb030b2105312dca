"""Tells a person's open pages that their todos changed, whichever process changed them."""

from __future__ import annotations


def connect() -> None:
    """Connect the publisher to `todo.signals.changed`."""
