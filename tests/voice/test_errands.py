"""The hand of a call: what is written and queued for a turn, how often and in which order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voice import keys
from voice.audio import BROWSER
from voice.browser_stream import BrowserWire
from voice.errands import Errands
from voice.errors import BrokerLost
from voice.options import CallOptions, PlayoutOptions
from voice.playout import ReplyPlayout
from voice.setup import CallSetup, Surroundings
from voice.turns import Begin, Command, Finish, LiveTurn, Run


class Outside:
    """Store, queue and records in one, which write down what they are asked for."""

    def __init__(self) -> None:
        self.did: list[tuple[Any, ...]] = []
        self.broken: set[str] = set()

    def _do(self, *what: Any) -> None:
        if what[0] in self.broken:
            raise BrokerLost("test")
        self.did.append(what)

    async def begin_turn(self, call_id: str, turn: LiveTurn, *, asked: bool) -> None:
        self._do("row", turn.id, asked)

    async def set_transcript(self, turn: LiveTurn) -> None:
        self._do("words", turn.id)

    async def finish_turn(self, turn: LiveTurn, outcome: str, heard: str) -> None:
        self._do("outcome", turn.id)

    async def trim(self, stream: str, position: str) -> None:
        self._do("trimmed", stream, position)

    async def drop_reply(self, turn_id: str, sentences: int) -> None:
        self._do("dropped", turn_id)

    async def send(self, task: str, *ids: str | int) -> None:
        self._do(task, *ids)


@pytest.fixture
def outside() -> Outside:
    return Outside()


def turn(name: str, transcript: str | None = "add milk") -> LiveTurn:
    playout = ReplyPlayout(BROWSER, PlayoutOptions())
    return LiveTurn(playout=playout, number=1, id=name, transcript=transcript)


async def done(outside: Outside, *commands: Command) -> list[tuple[Command, Exception]]:
    failed: list[tuple[Command, Exception]] = []

    def begun(begin: Begin) -> None:
        outside.did.append(("begun", begin.turn.id))

    def not_done(command: Command, error: Exception) -> None:
        failed.append((command, error))

    whole: Any = outside
    setup = CallSetup(user_id=1, channel="command", wire=BrowserWire())
    around = Surroundings(
        store=whole, queue=whole, hub=whole, records=whole, fillers=whole, options=CallOptions()
    )
    errands = Errands("call", setup, around, begun=begun, failed=not_done)
    for command in commands:
        errands.add(command)
    running = asyncio.create_task(errands.run())
    async with asyncio.timeout(60):
        await errands.finished()
    running.cancel()
    return failed


async def test_a_turn_that_runs_at_once_is_written_once(outside: Outside) -> None:
    first = turn("a")
    assert not await done(outside, Begin(first), Run(first))
    assert outside.did == [("row", "a", True), ("begun", "a"), ("run_turn", "a")]


async def test_a_turn_that_waits_gets_its_words_when_it_runs(outside: Outside) -> None:
    first, second = turn("a"), turn("b")
    assert not await done(outside, Begin(first), Begin(second), Run(first), Run(second))
    assert outside.did == [
        ("row", "a", False),
        ("begun", "a"),
        ("row", "b", False),
        ("begun", "b"),
        ("words", "a"),
        ("run_turn", "a"),
        ("words", "b"),
        ("run_turn", "b"),
    ]


async def test_a_worker_asked_for_again_finds_the_time_of_it_in_the_row(outside: Outside) -> None:
    first = turn("a")
    outside.broken.add("run_turn")
    failed = await done(outside, Begin(first), Run(first))
    assert [type(command) for command, _ in failed] == [Run]
    outside.broken.clear()
    assert not await done(outside, Run(first))
    assert outside.did == [("row", "a", True), ("begun", "a"), ("words", "a"), ("run_turn", "a")]


async def test_a_turn_whose_row_was_not_written_is_not_begun(outside: Outside) -> None:
    first = turn("a")
    outside.broken.add("row")
    failed = await done(outside, Begin(first), Run(first))
    assert [type(command) for command, _ in failed] == [Begin]
    assert ("begun", "a") not in outside.did


async def test_what_was_told_of_a_turn_goes_only_once_its_outcome_is_written(
    outside: Outside,
) -> None:
    first, trimmed = turn("a"), ("trimmed", keys.call_stream("call"), "7-0")
    assert not await done(outside, Finish(first, "done", "Added milk.", settled="7-0"))
    assert outside.did == [("outcome", "a"), trimmed, ("dropped", "a")]
    assert not await done(outside, Finish(first, "done", ""))
    assert outside.did.count(trimmed) == 1
    outside.broken.add("outcome")
    assert len(await done(outside, Finish(first, "done", "Added milk.", settled="8-0"))) == 1
    assert len([what for what in outside.did if what[0] == "trimmed"]) == 1
