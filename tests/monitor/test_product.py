"""The monitor in the whole product: every role, a call as it comes, a child that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request
from typing import Any

import pytest

from monitor import board
from monitor.snapshot import Snapshot
from tests.stack import Stack, wait_until
from tests.voice import client

pytestmark = pytest.mark.service
# Beside `other`, which a process of a moment may be.
EVERYBODY = {
    *("web", "agent", "agent child", "speech", "speech child"),
    *("mcp", "flower", "broker", "launcher"),
}


def told(stack: Stack) -> board.State:
    with stack.redis as redis:
        return board.read(redis)


def look_now(stack: Stack) -> None:
    with stack.redis as redis:
        board.nudge(redis)


def until_seen(stack: Stack, true: Any, what: str) -> Snapshot:
    """Have looks taken until one is as it should be."""
    found: list[Snapshot] = []

    def seen() -> bool:
        look_now(stack)
        found[:] = [one for one in told(stack).snapshots if true(one)]
        return bool(found)

    wait_until(seen, 90, what)
    return found[0]


def test_every_process_is_seen_by_its_role(stack: Stack) -> None:
    names = ("web", "agent", "speech", "mcp", "flower", "broker")

    def complete(one: Snapshot) -> bool:
        """Not one of before a test killed somebody."""
        living = {stack.pid(name) for name in names}
        roles = {each.role for each in one.readings}
        return roles >= EVERYBODY and living <= {each.pid for each in one.readings}

    seen = until_seen(stack, complete, "all roles are seen")
    by_pid = {one.pid: one for one in seen.readings}
    for name in names:
        assert by_pid[stack.pid(name)].role == name
    assert by_pid[stack.launcher_pid].role == "launcher"
    pss = [one.pss for one in seen.readings]
    assert all(size is None for size in pss) or all(pss)
    # By the clock or for a call: whichever comes first.
    wait_until(lambda: bool(stack.rows("SELECT 1 FROM monitor_memorysample")), 90, "a look is kept")


def test_the_command_beside_it_sees_the_same(stack: Stack) -> None:
    answer = json.loads(stack.manage("memory", "--json"))
    (machine,) = answer["machines"]
    assert {one["role"] for one in machine["readings"]} >= EVERYBODY
    assert isinstance(answer["calls"], int)


async def test_a_call_is_seen_while_it_lasts(stack: Stack) -> None:
    stack.make_user("mona")
    async with client.call(stack, "mona"):
        await asyncio.to_thread(wait_until, lambda: told(stack).calls >= 1, 60, "the call is told")
        await asyncio.to_thread(
            wait_until,
            lambda: any((one.calls or 0) >= 1 for one in told(stack).snapshots),
            60,
            "it is looked at",
        )


def test_a_child_that_is_killed_is_told_of(stack: Stack) -> None:
    seen = until_seen(
        stack,
        lambda one: any(each.role == "agent child" for each in one.readings),
        "a child is seen",
    )
    pid = next(one.pid for one in seen.readings if one.role == "agent child")
    before = told(stack).counters.get("children_killed", 0)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: pid in {one.pid for one in told(stack).endings}, 60, "it is told")
    state = told(stack)
    ending = next(one for one in state.endings if one.pid == pid)
    assert (ending.role, ending.why, ending.detail) == ("agent", "killed", "SIGKILL")
    assert state.counters["children_killed"] == before + 1
    stack.wait_until_healthy()


def test_prometheus_reads_it(stack: Stack) -> None:
    token = stack.manage("metrics_login").split("Bearer ")[1].split()[0]
    url = f"{stack.url}/metrics"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=60)
    assert refused.value.code == 401
    refused.value.close()
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    assert "convonet_memory_bytes{" in text
    assert 'role="web"' in text
