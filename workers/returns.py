"""The worker's parent gives back what dead children had claimed: at once, or when it can."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from voice import envelope, holders
from workers.claims import give_back, give_back_lost

logger = logging.getLogger("workers.returns")

# Of children elsewhere that nobody has seen for long, and of predecessors at the start.
LOOK_SECONDS = 10.0
# The parent's own loop asks, so a broker that does not answer is not asked often.
AGAIN_SECONDS = 1.0


class Returns:
    """`look` as often as you like; `client` is one that waits for the broker only briefly."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._children: dict[int, str] = {}
        self._dead: list[str] = []
        self._due_at = 0.0
        self._ill_until = 0.0

    def began(self, pid: int) -> None:
        """A child that may claim."""
        self._children[pid] = holders.name_of(pid)

    def ended(self, pid: int, now: float) -> None:
        holder = self._children.pop(pid, "")
        if holder:
            self._dead.append(holder)
            self.look(now)

    def look(self, now: float) -> None:
        """`now` is monotonic."""
        if now < self._ill_until or not (self._dead or now >= self._due_at):
            return
        try:
            given = self._give_back(self._client(), now)
        except RedisError as error:
            self._ill_until = now + AGAIN_SECONDS
            logger.debug("claims not looked at", extra={"error": type(error).__name__})
            return
        if given:
            logger.warning("claims of dead children given back", extra={"messages": given})

    def _give_back(self, client: Any, now: float) -> int:
        given = 0
        while self._dead:
            given += give_back(client, envelope.AGENT, self._dead[-1])
            self._dead.pop()
        if now >= self._due_at:
            given += give_back_lost(client, envelope.AGENT, time.time())
            self._due_at = now + LOOK_SECONDS
        return given
