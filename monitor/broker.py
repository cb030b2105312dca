"""The broker's own word about its memory, where it runs on another machine or as a service."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from convonet.allowance import Allowance
from monitor.snapshot import CLOCK, Reading, Snapshot


def snapshot_of(redis: Any, url: str, others: Iterable[Snapshot]) -> Snapshot | None:
    """None when one of the machines has the broker among its processes; raises RedisError."""
    others = list(others)
    host = f"broker {urlsplit(url).hostname or 'here'}"[:64]
    if any(
        one.role == "broker" for other in others if other.host != host for one in other.readings
    ):
        return None
    memory, server = redis.info("memory"), redis.info("server")
    limit = int(memory.get("maxmemory", 0)) // 1024
    used = int(memory["used_memory"]) // 1024
    started = round(time.time()) - int(server.get("uptime_in_seconds", 0))
    reading = Reading(
        pid=int(server.get("process_id", 0)),
        role="broker",
        started=float(started),
        rss=int(memory.get("used_memory_rss", memory["used_memory"])) // 1024,
    )
    calls = next((one.calls for one in others), None)
    allowance = Allowance("broker's own", limit or None, used, None)
    return Snapshot(host, time.time(), CLOCK, calls, allowance, (reading,))
