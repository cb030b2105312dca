"""How many more calls the memory of this machine has room for: what is used, and what is to come.

What is measured says nothing yet of calls that came a moment ago, so each of those counts as what
a call is expected to take (`voice.places`, young places).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from convonet import allowance
from convonet.allowance import Allowance

# A look reads a few small files; a hundred callers at once need no hundred looks.
FRESH_SECONDS = 0.5
# On a machine without a group others' memory is used, too: beyond so much left free, a share of
# what is large says nothing about what is left.
ENOUGH_FREE_KIB = 400 * 1024


def fits(allowed: Allowance, below_percent: int, reserve_kib: int) -> int | None:
    """Calls there is room for; None where nobody tells how much is used."""
    if allowed.limit_kib is None or allowed.used_kib is None:
        return None
    return max(0, (line_kib(allowed, below_percent) - allowed.used_kib) // reserve_kib)


def line_kib(allowed: Allowance, below_percent: int) -> int:
    """New calls are taken while less is used; 0 where no limit is known."""
    limit_kib = allowed.limit_kib or 0
    free_kib = limit_kib * (100 - below_percent) // 100
    if allowed.source == "machine":
        free_kib = min(free_kib, ENOUGH_FREE_KIB)
    return limit_kib - free_kib


class Room:
    def __init__(
        self,
        look: Callable[[], Allowance] = allowance.read,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._clock = look, clock
        self._seen: Allowance | None = None
        self._stale_at = 0.0

    def seen(self) -> Allowance:
        """The allowance as of half a second ago at most."""
        now = self._clock()
        if self._seen is None or now >= self._stale_at:
            self._seen, self._stale_at = self._look(), now + FRESH_SECONDS
        return self._seen


@cache
def here() -> Room:
    """The process's one."""
    return Room()
