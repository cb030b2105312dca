"""The thread that looks after this machine's memory: every 30 s, and when calls begin or end.

The tool server has one, and keeps what it sees; Flower has one for machines on which there is no
tool server. None runs where calls or turns are carried. Needs no Django.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import RedisError

from convonet import counters
from monitor import board
from monitor.pace import Pace, Turn
from monitor.snapshot import Snapshot, by_role
from voice import keys

if TYPE_CHECKING:
    from monitor.sampler import Sampler

logger = logging.getLogger("monitor.memory")

SOCKET_SECONDS = 1.0
# How long a nudge is waited for at a time, and how soon a lost broker is asked again.
LISTEN_SECONDS = 5.0
# The others of the machine are just starting.
FIRST_SECONDS = 2.0
# Whoever of a machine's processes has the lowest rank looks.
TOOLS, FLOWER, WEB, WORKER = range(4)


@dataclass(frozen=True, slots=True)
class Options:
    redis_url: str
    var_dir: Path
    seconds: float = 30.0
    host: str = ""
    """Empty: the machine's own name."""

    @property
    def name(self) -> str:
        return (self.host or socket.gethostname())[:64]

    def turn(self, rank: int) -> Turn:
        note = self.var_dir / f"looked-{self.name}"
        return Turn(note, rank, fresh_seconds=2.5 * self.seconds)


def options_from(settings: Any) -> Options:
    """From Django's settings, or from the module `convonet.settings`."""
    return Options(settings.REDIS_URL, settings.VAR_DIR, settings.MEMORY_SAMPLE_SECONDS)


class Lookout(threading.Thread):
    """`keep` gets each snapshot, with the client unless the broker does not answer."""

    def __init__(
        self,
        options: Options,
        rank: int,
        keep: Callable[[Snapshot, redis.Redis | None], None] | None = None,
    ) -> None:
        super().__init__(name="lookout", daemon=True)
        self._options, self._keep = options, keep
        self._turn = options.turn(rank)
        # A lower rank lets the others come up first.
        first = time.monotonic() + (
            FIRST_SECONDS if rank == TOOLS else options.seconds * (1 + rank / 4)
        )
        self._pace = Pace(options.seconds, first)
        self._redis = redis.Redis.from_url(
            options.redis_url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            retry=None,
        )
        self._ear: Any = None
        self._sampler: Sampler | None = None
        self._ended = threading.Event()
        self._failing = False

    def run(self) -> None:
        while not self._ended.is_set():
            self._wait()
            why = self._pace.due(time.monotonic())
            if not why:
                continue
            try:
                self._flush()
                self._look(why)
                self._failing = False
            except Exception as error:
                # Whatever it is, the next look may succeed; nobody's call depends on this one.
                if not self._failing:
                    fields = {"error": type(error).__name__}
                    logger.warning("memory not looked at", exc_info=True, extra=fields)
                self._failing = True
        self._redis.close()

    def stop(self) -> None:
        self._ended.set()

    def _wait(self) -> None:
        seconds = min(LISTEN_SECONDS, self._pace.wait(time.monotonic()))
        if self._sampler is None:
            self._ended.wait(seconds)  # somebody else looks
            return
        try:
            if self._ear is None:
                self._ear = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                self._ear.subscribe(keys.nudges())
            if self._ear.get_message(timeout=seconds) is not None:
                self._pace.nudged(time.monotonic())
        except (RedisError, OSError):
            self._deafen()
            self._ended.wait(seconds)

    def _deafen(self) -> None:
        if self._ear is not None:
            self._ear.close()
            self._ear = None

    def _look(self, why: str) -> None:
        if not self._turn.is_mine():
            self._sampler = None
            self._deafen()
            return
        snapshot = self._ready().take(why, self._calls())
        told = self._publish(snapshot)
        log(snapshot)
        if self._keep is not None:
            self._keep(snapshot, self._redis if told else None)

    def _ready(self) -> Sampler:
        if self._sampler is None:
            # psutil is loaded by whom it is used.
            from monitor import sampler

            self._sampler = sampler.of_this_machine(self._options.name, os.getpid())
            try:
                earlier = board.snapshot_of(self._redis, self._options.name)
            except RedisError:
                earlier = None
            if earlier is not None:
                self._sampler.remember(earlier)
        return self._sampler

    def _calls(self) -> int | None:
        try:
            return board.calls(self._redis)
        except RedisError:
            return None

    def _publish(self, snapshot: Snapshot) -> bool:
        pipe = self._redis.pipeline(transaction=False)
        board.announce_snapshot(pipe, snapshot)
        try:
            pipe.execute()
        except RedisError:
            return False
        return True

    def _flush(self) -> None:
        """What this process has counted."""
        counted = counters.take()
        if not counted:
            return
        pipe = self._redis.pipeline(transaction=True)
        board.count(pipe, counted)
        try:
            pipe.execute()
        except RedisError:
            counters.give_back(counted)


def log(snapshot: Snapshot) -> None:
    """One line for the whole machine, in MB; those by the clock are no news in themselves."""
    share = snapshot.allowance.share
    fields: dict[str, object] = {
        "host": snapshot.host,
        "why": snapshot.why,
        "calls": "unknown" if snapshot.calls is None else snapshot.calls,
        "total_mb": round(snapshot.size / 1024),
        "allowance_percent": "unknown" if share is None else round(share * 100),
    }
    for role, total in by_role(snapshot.readings).items():
        fields[f"{role.replace(' ', '_')}_mb"] = round(total.size / 1024)
    logger.info("memory", extra=fields)
