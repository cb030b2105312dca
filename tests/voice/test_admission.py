"""Places in a real broker, taken by several web processes at once; and the memory they ask for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library
from redis.asyncio import Redis as AsyncRedis

from convonet.allowance import Allowance
from tests.stack import wait_until
from voice import admission, keys, leases, places, room
from voice.admission import Switchboard
from voice.errors import BrokerLost, Busy, Refused
from voice.places import Limits

pytestmark = pytest.mark.service
MB = 1024


@pytest.fixture(autouse=True)
def few(settings: Any) -> None:
    settings.MAX_CALLS, settings.MAX_CALLS_PER_USER = 3, 3
    settings.ADMIT_BELOW_PERCENT = 100


@pytest.fixture
async def webs(redis: redis_library.Redis, broker: str) -> AsyncIterator[list[Switchboard]]:
    """Three web processes, as far as the broker can tell."""
    clients = [AsyncRedis.from_url(broker) for _ in range(3)]
    yield [Switchboard(client) for client in clients]
    for client in clients:
        await client.aclose()


async def held(web: Switchboard, caller: str, stack: AsyncExitStack, **more: Any) -> str:
    """`taken`, or why not."""
    try:
        await stack.enter_async_context(web.admitted(caller, **more))
    except Busy as refusal:
        return refusal.why
    except Refused as refusal:
        return str(refusal.code)
    return "taken"


def taken(redis: redis_library.Redis) -> int:
    return int(redis.zcard(keys.places()))


async def test_many_callers_at_once_get_exactly_the_places_there_are(
    webs: list[Switchboard], redis: redis_library.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What one process knows by itself is not what is tried here.
    monkeypatch.setattr(admission, "calls_in_progress", lambda: 0)
    async with AsyncExitStack() as stack:
        answers = await asyncio.gather(*(held(webs[n % 3], f"user:{n}", stack) for n in range(30)))
        assert sorted(answers) == ["full"] * 27 + ["taken"] * 3
        assert taken(redis) == 3
    assert taken(redis) == 0


async def test_places_come_and_go_without_one_lost_or_doubled(
    webs: list[Switchboard], redis: redis_library.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "calls_in_progress", lambda: 0)
    most = 0

    async def calling(n: int) -> int:
        nonlocal most
        served = 0
        for _ in range(10):
            async with AsyncExitStack() as stack:
                served += await held(webs[n % 3], f"user:{n}", stack) == "taken"
                most = max(most, taken(redis))
                await asyncio.sleep(0)
        return served

    served = await asyncio.gather(*(calling(n) for n in range(12)))
    assert most == 3
    assert sum(served) >= 3
    assert taken(redis) == 0
    assert redis.hlen(keys.place_holders()) == 0


async def test_one_caller_has_only_so_many_wherever_they_call(
    webs: list[Switchboard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_CALLS_PER_USER = 1
    monkeypatch.setattr(admission, "_calls_of", Counter())
    async with AsyncExitStack() as stack:
        assert await held(webs[0], "user:1", stack) == "taken"
        admission._calls_of.clear()
        assert await held(webs[1], "user:1", stack) == "4409"
        assert await held(webs[1], "user:2", stack) == "taken"


async def test_a_call_that_goes_over_to_another_process_keeps_its_one_place(
    webs: list[Switchboard], redis: redis_library.Redis, settings: Any
) -> None:
    settings.MAX_CALLS = 1
    async with AsyncExitStack() as old, AsyncExitStack() as new:
        assert await held(webs[0], "phone:+1", old, place="call") == "taken"
        # The process that had it is dead, so it counts nothing here.
        admission._calls_of.clear()
        assert await held(webs[1], "phone:+1", new, place="call") == "taken"
        assert taken(redis) == 1
        admission._calls_of["phone:+1"] = 2
        await old.aclose()
        # Whose it was gives back what is not theirs any more: nothing.
        assert taken(redis) == 1
    assert taken(redis) == 0


async def test_a_call_under_way_comes_back_although_all_lines_are_busy(
    webs: list[Switchboard], redis: redis_library.Redis, settings: Any
) -> None:
    settings.MAX_CALLS = 1
    async with AsyncExitStack() as stack:
        assert await held(webs[0], "phone:+1", stack) == "taken"
        assert await held(webs[1], "phone:+2", stack) == "full"
        assert await held(webs[1], "phone:+2", stack, must=True) == "taken"
        assert taken(redis) == 2


DEAD = """
import asyncio, os, sys
import django
django.setup()
from redis.asyncio import Redis
from voice.admission import Switchboard

async def main():
    web = Switchboard(Redis.from_url(sys.argv[1]))
    async with web.admitted("user:1"), web.admitted("user:2"):
        print("held", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def killed(redis: redis_library.Redis, broker: str) -> None:
    """A web process that held two places is dead."""
    process = subprocess.Popen(
        [sys.executable, "-c", DEAD, broker],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait(10)
    process.stdout.close()


async def test_the_places_of_a_killed_process_come_back_at_once_on_its_machine(
    webs: list[Switchboard], redis: redis_library.Redis, killed: None
) -> None:
    if not leases.this_process():
        pytest.skip("this machine does not tell which process was which")
    assert taken(redis) == 2
    async with AsyncExitStack() as stack:
        answers = [await held(webs[0], f"user:{n}", stack) for n in (3, 4, 5)]
        assert answers == ["taken"] * 3


def lapse(redis: redis_library.Redis, member: str) -> None:
    """As if nobody had renewed it."""
    redis.zadd(keys.places(), {member: 1})


async def test_a_place_that_nobody_renews_comes_back_by_itself(
    webs: list[Switchboard], redis: redis_library.Redis, settings: Any
) -> None:
    settings.MAX_CALLS = 1
    # Of a machine that is gone: nobody here can tell whether its process lives.
    command = places.take("far", "elsewhere#1", "user:9", Limits(1, 9), host="far")
    assert redis.eval(command[0], command[1], *command[2]) == b"taken"
    async with AsyncExitStack() as stack:
        assert await held(webs[0], "user:1", stack) == "full"
        lapse(redis, "far")
        assert await held(webs[0], "user:1", stack) == "taken"
    assert redis.hlen(keys.place_holders()) == 0


async def test_every_key_has_a_lifetime(
    webs: list[Switchboard], redis: redis_library.Redis
) -> None:
    async with AsyncExitStack() as stack:
        await held(webs[0], "user:1", stack)
        assert redis.exists(keys.places(), keys.places_of("user:1")) == 2
        assert all(redis.ttl(key) > 0 for key in redis.keys("convonet:*"))


async def test_a_broker_that_forgot_everything_is_told_again(
    webs: list[Switchboard], redis: redis_library.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RENEW_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        assert await held(webs[0], "user:1", stack, place="call") == "taken"
        redis.flushall()
        await asyncio.to_thread(wait_until, lambda: taken(redis) == 1, 60, "it is there again")
        assert redis.ttl(keys.places()) > 0
    assert taken(redis) == 0


async def test_a_renewal_takes_nothing_from_who_has_the_call_now(
    webs: list[Switchboard], redis: redis_library.Redis
) -> None:
    async with AsyncExitStack() as stack:
        await held(webs[0], "phone:+1", stack, place="call")
        redis.hset(keys.place_holders(), "call", "another#1")
        before = redis.zscore(keys.places(), "call")
        await webs[0].ask(places.renew(webs[0]._held, host="here"))
        assert redis.hget(keys.place_holders(), "call") == b"another#1"
        assert redis.zscore(keys.places(), "call") == before


async def test_without_a_broker_nobody_is_let_in() -> None:
    client = AsyncRedis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(BrokerLost):
        async with Switchboard(client).admitted("user:1"):
            pytest.fail("there is no place without a broker")
    await client.aclose()
    assert admission.calls_in_progress() == 0


# Looking ----------------------------------------------------------------------------------------
async def test_looking_takes_no_place(
    webs: list[Switchboard], redis: redis_library.Redis, settings: Any
) -> None:
    settings.MAX_CALLS = 1
    await asyncio.to_thread(admission.check, "phone:+1", redis)
    async with AsyncExitStack() as stack:
        assert await held(webs[0], "user:1", stack) == "taken"
        admission._calls_of.clear()
        with pytest.raises(Busy, match="All lines are busy"):
            admission.check("phone:+1", redis)
        admission._calls_of["user:1"] = 1


def test_a_broker_that_is_away_is_left_to_who_takes_the_place() -> None:
    nowhere = redis_library.Redis.from_url("redis://127.0.0.1:1/0")
    admission.check("phone:+1", nowhere)


# Memory -----------------------------------------------------------------------------------------
def allowed(used_mb: int, limit_mb: int = 512, source: str = "cgroup v2") -> Allowance:
    return Allowance(source, limit_mb * MB, used_mb * MB, 0)


@pytest.mark.parametrize(
    ("seen", "calls"),
    [
        (allowed(309), 100),  # 80 % of 512 MB are 409.6
        (allowed(409), 0),
        (allowed(500), 0),
        (allowed(0, limit_mb=100), 80),
        (allowed(900, 1000, "machine"), 0),
        # A fifth of a large machine is not needed free: its other users fill it, too.
        (allowed(20_000, 24_000, "machine"), 3600),
        (allowed(23_601, 24_000, "machine"), 0),
        (Allowance("machine", None, None, None), None),
        (Allowance("machine", 512 * MB, None, None), None),
    ],
)
def test_room_is_what_is_left_below_the_line(seen: Allowance, calls: int | None) -> None:
    assert room.fits(seen, 80, MB) == calls


def test_the_allowance_is_read_once_for_many_callers() -> None:
    now, looks = [100.0], []

    def look() -> Allowance:
        looks.append(now[0])
        return allowed(len(looks))

    here = room.Room(look, lambda: now[0])
    assert {here.seen().used_kib for _ in range(100)} == {MB}
    now[0] += room.FRESH_SECONDS
    assert here.seen().used_kib == 2 * MB
    assert len(looks) == 2


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[Allowance]:
    """What this machine measures, one entry."""
    found = [allowed(407)]
    settings.ADMIT_BELOW_PERCENT, settings.CALL_RESERVE_KB, settings.MAX_CALLS = 80, MB, 100
    monkeypatch.setattr(room.here(), "seen", lambda: found[0])
    return found


async def test_callers_at_once_are_weighed_by_what_each_is_expected_to_take(
    webs: list[Switchboard], seen: list[Allowance], redis: redis_library.Redis
) -> None:
    """Two more fit, whatever the measurement, which has not moved yet, would let in."""
    async with AsyncExitStack() as stack:
        answers = await asyncio.gather(*(held(webs[n % 3], f"user:{n}", stack) for n in range(20)))
        assert sorted(answers) == ["memory"] * 18 + ["taken"] * 2
        # They have grown up, and what is measured includes them: another one fits.
        redis.delete(keys.young_places(admission.host()))
        seen[0] = allowed(408)
        assert await held(webs[0], "user:30", stack) == "taken"
        assert await held(webs[0], "user:31", stack) == "memory"


async def test_a_call_that_goes_gives_its_expected_memory_back(
    webs: list[Switchboard], seen: list[Allowance]
) -> None:
    seen[0] = allowed(408)
    for n in range(5):
        async with AsyncExitStack() as stack:
            assert await held(webs[0], f"user:{n}", stack) == "taken"


async def test_running_calls_are_not_touched_by_want_of_memory(
    webs: list[Switchboard],
    seen: list[Allowance],
    monkeypatch: pytest.MonkeyPatch,
    redis: redis_library.Redis,
) -> None:
    monkeypatch.setattr(admission, "RENEW_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        assert await held(webs[0], "user:1", stack, place="call") == "taken"
        seen[0] = replace(seen[0], used_kib=512 * MB)
        redis.zrem(keys.places(), "call")
        await asyncio.to_thread(wait_until, lambda: taken(redis) == 1, 60, "it is renewed")
        assert await held(webs[0], "phone:+1", stack) == "memory"
        assert await held(webs[0], "phone:+1", stack, must=True) == "taken"
