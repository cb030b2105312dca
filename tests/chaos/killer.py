"""The seeded killer: chooses a victim and a moment, kills, and waits until all is well again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from random import Random
from typing import Any

import psutil
import redis

from tests.chaos import cgroup, evidence, victims
from tests.chaos.facts import Kill
from tests.chaos.log import EventLog
from tests.chaos.moments import Moments
from tests.chaos.victims import VICTIMS, Health, Victim
from tests.stack import Stack

MID_TURN_SHARE = 0.8
MOMENT_SECONDS = 6.0
# From a moment seen by a caller to the blow: within a step, or somewhere in the next ones.
LONGEST_DELAY_SECONDS = 0.25
LONGEST_REST_SECONDS = 1.5
TRAP_SECONDS = 5.0
# As many messages in one child are many.
FULL, FULL_SECONDS = 4, 10.0
# A victim that died by itself, or needed no memory, is chosen anew.
TRIES = 6
POLL_SECONDS = 0.1


class Killer:
    def __init__(
        self, stack: Stack, health: Health, random: Random, log: EventLog, moments: Moments
    ) -> None:
        self.kills: list[Kill] = []
        self.without_kernel = cgroup.unavailable()
        self._stack, self._health, self._random = stack, health, random
        self._log, self._moments = log, moments

    async def run(self, kills: int) -> None:
        for victim in plan(kills, self._random, by_kernel=not self.without_kernel):
            await asyncio.sleep(self._random.uniform(0.0, LONGEST_REST_SECONDS))
            for _ in range(TRIES):
                if await self._strike(victim):
                    break

    async def _strike(self, victim: Victim) -> bool:
        """False when the victim survived."""
        moment, delay = self._choose_moment(victim)
        pool = await asyncio.to_thread(victims.pool_of, self._stack, victim.part)
        worked = victims.work_of(pool)
        if moment != "any" and not await self._moments.wait(moment, MOMENT_SECONDS):
            moment = "any"
        await asyncio.sleep(delay)
        if victim.child and not pool:  # its worker is just being started again
            await asyncio.sleep(1)
            return False
        carried = 0
        if victim.full:
            pid, carried = await self._fullest(pool)
        elif victim.child:
            pid = victims.busiest(pool, worked).pid
        else:
            pid = self._stack.pid(victim.part)
        at = await self._kill(victim, pid)
        died = at is not None
        self._log.write(
            "kill", victim=victim.name, pid=pid, moment=moment, died=died, carried=carried
        )
        if at is None:
            return False
        recovered = await self._wait_recovered(victim, pid)
        taken = recovered - at if recovered is not None else None
        self.kills.append(Kill(victim.name, pid, at, moment, taken, victim.by_kernel, carried))
        self._log.write("recovered", victim=victim.name, pid=pid, seconds=taken)
        return True

    async def _kill(self, victim: Victim, pid: int) -> float | None:
        """When it died, or None when it was gone already or needed no memory."""
        if victim.by_kernel:
            return await self._trap(pid)
        return time.time() if victims.kill(pid) else None

    async def _fullest(self, pool: list[psutil.Process]) -> tuple[int, int]:
        """Of these children, as soon as one works on many, or after a while anyhow."""
        deadline = time.monotonic() + FULL_SECONDS
        while True:
            with suppress(redis.RedisError):
                claimed = await asyncio.to_thread(evidence.claimed, self._stack.redis)
                pid, carried = victims.fullest(pool, claimed)
                if carried >= FULL or time.monotonic() > deadline:
                    return pid, carried
            if time.monotonic() > deadline:
                return pool[0].pid, 0
            await asyncio.sleep(POLL_SECONDS)

    def _choose_moment(self, victim: Victim) -> tuple[Any, float]:
        moment = self._random.choice(victim.moments)
        delay = self._random.choice((0.0, 0.02, 1.0)) * self._random.uniform(
            0.0, LONGEST_DELAY_SECONDS
        )
        return (moment if self._random.random() < MID_TURN_SHARE else "any"), delay

    async def _trap(self, pid: int) -> float | None:
        """Take the process's memory away; when it was killed, or None when it needed none."""
        try:
            trap = cgroup.MemoryTrap(pid)
        except OSError:  # it has ended by itself
            return None
        try:
            trap.set()
            deadline = time.monotonic() + TRAP_SECONDS
            while time.monotonic() < deadline:
                if trap.killed:
                    return time.time()
                await asyncio.sleep(0.01)
            return None
        except OSError:
            return None
        finally:
            trap.remove()

    async def _wait_recovered(self, victim: Victim, pid: int) -> float | None:
        deadline = time.monotonic() + victim.recovery_seconds
        while time.monotonic() < deadline:
            if await asyncio.to_thread(self._health.recovered, victim, pid):
                return time.time()
            await asyncio.sleep(POLL_SECONDS)
        return None


def plan(kills: int, random: Random, *, by_kernel: bool = True) -> list[Victim]:
    """Every victim once while there are kills for it, the rest by weight."""
    possible = [victim for victim in VICTIMS if by_kernel or not victim.by_kernel]
    first = random.sample(possible, k=min(kills, len(possible)))
    weights = [victim.weight for victim in possible]
    return first + random.choices(possible, weights, k=kills - len(first))
