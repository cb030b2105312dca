"""Where the machines, the web processes and the workers tell what they know of themselves: Redis.

An announcement is a key that lives only while it is renewed, and a set that names all of its kind;
no clock of one machine is compared with another's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from monitor.snapshot import Ending, Snapshot, decode, encode
from voice import keys

WEB, MEMORY = "web", "memory"
WEB_SECONDS = 15
# Longer than the time between two looks, and than a restart of whoever looks.
MEMORY_SECONDS = 150
COUNTER_SECONDS = 30 * 86_400
ENDING_SECONDS = 7 * 86_400
MOST_ENDINGS = 50
# At most so many of one kind are read; more are not the product's.
MOST_ANNOUNCED = 200


@dataclass(frozen=True, slots=True)
class State:
    """What the board says now."""

    snapshots: list[Snapshot] = field(default_factory=list)
    """The last of each machine, by its name."""
    calls: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    """Newest first."""


def announce(pipe: Any, kind: str, name: str, value: str, seconds: int) -> None:
    """Add the commands to a pipeline, whose client may be synchronous or not."""
    pipe.set(keys.announcement(kind, name), value, ex=seconds)
    pipe.sadd(keys.announced(kind), name)
    pipe.expire(keys.announced(kind), max(seconds, MEMORY_SECONDS))


def withdraw(pipe: Any, kind: str, name: str) -> None:
    pipe.delete(keys.announcement(kind, name))
    pipe.srem(keys.announced(kind), name)


def announce_calls(pipe: Any, name: str, calls: int) -> None:
    announce(pipe, WEB, name, json.dumps({"calls": calls}), WEB_SECONDS)


def announce_snapshot(pipe: Any, snapshot: Snapshot) -> None:
    announce(pipe, MEMORY, snapshot.host, encode(snapshot), MEMORY_SECONDS)


def nudge(pipe: Any) -> None:
    """Have every machine take a look."""
    pipe.publish(keys.nudges(), b"")


def count(pipe: Any, counted: Mapping[str, int]) -> None:
    for name, number in counted.items():
        pipe.hincrby(keys.counters(), name, number)
    if counted:
        pipe.expire(keys.counters(), COUNTER_SECONDS)


def tell_endings(pipe: Any, endings: Iterable[Ending]) -> None:
    told = [json.dumps(asdict(ending)) for ending in endings]
    if told:
        pipe.lpush(keys.endings(), *told)
        pipe.ltrim(keys.endings(), 0, MOST_ENDINGS - 1)
        pipe.expire(keys.endings(), ENDING_SECONDS)


def read(redis: Any) -> State:
    """All that is on the board, in two questions (synchronous client); raises RedisError."""
    pipe = redis.pipeline(transaction=False)
    for kind in (WEB, MEMORY):
        pipe.smembers(keys.announced(kind))
    pipe.hgetall(keys.counters())
    pipe.lrange(keys.endings(), 0, MOST_ENDINGS - 1)
    webs, machines, counters, endings = pipe.execute()
    said = _said(redis, {WEB: webs, MEMORY: machines})
    return State(
        snapshots=_snapshots(said[MEMORY]),
        calls=sum(_calls(raw) for raw in said[WEB]),
        counters={name.decode(): int(number) for name, number in counters.items()},
        endings=[ending for raw in endings if (ending := _ending(raw)) is not None],
    )


def calls(redis: Any) -> int:
    """Calls in progress in all web processes together; raises RedisError."""
    webs = redis.smembers(keys.announced(WEB))
    return sum(_calls(raw) for raw in _said(redis, {WEB: webs})[WEB])


def snapshot_of(redis: Any, host: str) -> Snapshot | None:
    """The last that this machine said, if that is not long ago; raises RedisError."""
    raw = redis.get(keys.announcement(MEMORY, host))
    return next(iter(_snapshots([raw] if raw else [])), None)


def _said(redis: Any, names: Mapping[str, Iterable[bytes]]) -> dict[str, list[bytes]]:
    """What each says; those that are silent are no longer named."""
    asked = [(kind, name.decode()) for kind, some in names.items() for name in sorted(some)][
        :MOST_ANNOUNCED
    ]
    answer: dict[str, list[bytes]] = {kind: [] for kind in names}
    if not asked:
        return answer
    values = redis.mget([keys.announcement(kind, name) for kind, name in asked])
    for (kind, name), value in zip(asked, values, strict=True):
        if value is None:
            redis.srem(keys.announced(kind), name)
        else:
            answer[kind].append(value)
    return answer


def _snapshots(raw: Iterable[bytes]) -> list[Snapshot]:
    found = []
    for text in raw:
        try:
            found.append(decode(text))
        except ValueError:
            continue  # of another version, while a new one is being installed
    return found


def _calls(raw: bytes) -> int:
    try:
        return int(json.loads(raw)["calls"])
    except (ValueError, KeyError, TypeError):
        return 0


def _ending(raw: bytes) -> Ending | None:
    try:
        return Ending(**json.loads(raw))
    except (ValueError, TypeError):
        return None
