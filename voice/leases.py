"""Who runs a turn now: one process, for as long as its lease lasts or until it is seen to be dead.

A turn whose lease is lost may be taken by another worker. The lease alone would let a caller wait
for it to run out, so on the machine of its holder the kernel is asked whether that one still lives.
"""

from __future__ import annotations

from datetime import datetime

from voice.holders import is_gone, this_process
from voice.models import Turn

__all__ = ["LEASE_SECONDS", "RENEW_SECONDS", "is_gone", "is_lost", "this_process"]

# Two renewals may be missed: a busy machine, a slow database. Clocks may differ by a second or so.
LEASE_SECONDS = 9.0
RENEW_SECONDS = 3.0


def is_lost(turn: Turn, now: datetime) -> bool:
    """Nobody runs this turn any more, as far as can be known."""
    return turn.lease_until is None or turn.lease_until <= now or is_gone(turn.lease_holder)
