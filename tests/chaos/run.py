"""One chaos run: start the product, let people talk, kill, come to rest, check, report."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import redis
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from convonet.recordings import read_wav
from tests.chaos import checks, evidence, facts, report
from tests.chaos.facts import Attempt, Snapshot, Violation
from tests.chaos.killer import Killer
from tests.chaos.log import EventLog
from tests.chaos.moments import Moments
from tests.chaos.page import PATIENCE_SECONDS, Page
from tests.chaos.victims import Health
from tests.stack import ROOT, Stack, StackFailure
from voice import tickets

CALLERS = 14
# A message of a killed worker comes back to the queue after a minute, and is worked on then.
REST_SECONDS = 150.0
WARM_UP_TURNS = 6


@dataclass(slots=True)
class Result:
    attempts: list[Attempt] = field(default_factory=list)
    killer: Killer | None = None
    snapshot: Snapshot = field(default_factory=Snapshot)
    broken: list[Violation] = field(default_factory=list)
    seconds: float = 0.0


def run(stack: Stack, directory: Path, *, kills: int, seed: int, say: Callable[[str], None]) -> int:
    """`stack` is up. Answers the number of violations."""
    log = EventLog(directory / "events.jsonl")
    log.write("run", kills=kills, seed=seed, callers=CALLERS)
    result, began = Result(), time.monotonic()
    asyncio.run(_talk_and_kill(stack, result, log, kills, seed))
    result.seconds = time.monotonic() - began
    result.snapshot.orphans += _stop(stack)
    log.close()
    assert result.killer is not None
    struck = result.killer.kills
    facts.save(directory / "facts.json", result.attempts, struck, result.snapshot)
    result.broken += checks.violations(result.attempts, struck, result.snapshot)
    if result.killer.without_kernel:
        say(f"No kill by the kernel's own hand: {result.killer.without_kernel}.")
    say(report.table(result.attempts, struck, result.snapshot))
    say(f"{len(struck)} kills in {result.seconds:.0f} s, seed {seed}")
    say(report.listed(result.broken))
    return len(result.broken)


async def _talk_and_kill(
    stack: Stack, result: Result, log: EventLog, kills: int, seed: int
) -> None:
    moments, stop = Moments(), asyncio.Event()
    users = await sync_to_async(_make_users)(seed)
    health = await asyncio.to_thread(Health, stack)
    pages = [_page(stack, name, pk, seed, log, moments) for name, pk in users.items()]
    killer = result.killer = Killer(stack, health, Random(f"killer {seed}"), log, moments)
    talking = [asyncio.create_task(page.talk(stop)) for page in pages]
    try:
        for _ in range(WARM_UP_TURNS):
            await moments.wait("done", PATIENCE_SECONDS)
        await killer.run(kills)
    finally:
        stop.set()
        ends = await asyncio.gather(*talking, return_exceptions=True)
        result.attempts = [attempt for page in pages for attempt in page.attempts]
    for end in ends:
        if isinstance(end, BaseException):
            log.write("caller broke", error=repr(end))
            result.broken.append(Violation("not recovered", repr(end)))
    await _come_to_rest(stack, list(users.values()), log)
    result.snapshot = await sync_to_async(_snapshot)(stack, list(users.values()))


def _page(stack: Stack, name: str, pk: int, seed: int, log: EventLog, moments: Moments) -> Page:
    return Page(
        name,
        pk,
        f"{stack.ws_url}/ws/call",
        lambda: tickets.issue(pk),
        _recording,
        Random(f"{name} {seed}"),
        log,
        moments,
    )


@cache
def _recording(name: str) -> bytes:
    return read_wav(ROOT / "tests" / "audio" / f"{name}.wav")


def _make_users(seed: int) -> dict[str, int]:
    """By caller; new people every time, as a database given to us may hold older runs."""
    model, stamp = get_user_model(), int(time.time())
    names = [f"caller{number}" for number in range(CALLERS)]
    return {
        name: model.objects.create(username=f"chaos-{seed}-{stamp}-{name}").pk for name in names
    }


async def _come_to_rest(stack: Stack, users: list[int], log: EventLog) -> None:
    """Until every turn has ended and nothing is queued; bounded."""
    client, deadline = stack.redis, time.monotonic() + REST_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            turns = await sync_to_async(evidence.unfinished)(users)
            left = await asyncio.to_thread(evidence.queued, client)
            log.write("coming to rest", turns=turns, queued=left)
            if not turns and not any(left.values()):
                return
        await asyncio.sleep(1)


def _snapshot(stack: Stack, users: list[int]) -> Snapshot:
    found = evidence.snapshot(users, stack.redis)
    found.orphans = evidence.orphans(stack)
    found.ended_by_themselves = evidence.ended_by_themselves(stack.logs("supervisor"))
    return found


def _stop(stack: Stack) -> list[str]:
    try:
        stack.stop()
    except StackFailure as failure:
        return [str(failure)[:300]]
    return []
