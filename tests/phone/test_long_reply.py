"""A reply of a minute, made ten times faster than spoken: nothing is lost, nothing piles up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from redis import Redis

from convonet.far_end.line import Line
from tests.phone import in_process
from tests.phone.calling import CALL_SECONDS, a_word, conduct, heard, number
from tests.phone.web import Web
from tests.phone.workers import MS, Spoken, Workers, playing

pytestmark = pytest.mark.service

REPLY_SECONDS = 60
FASTER = 10
BUFFERED_MS = 2000
# A reply that nobody could overlook in memory, and what a few calls' allocations vary by.
ENDLESS_SECONDS = 600
SLACK_MB = 4.0
CALLERS = 5


def sentences(seconds: int) -> Sequence[Spoken]:
    """Of odd lengths, and no two frames are alike."""
    noise, left = random.Random(5), seconds * 1000
    made: list[Spoken] = []
    while left > 0:
        ms = min(left, noise.randint(700, 4999))
        made.append(Spoken(f"Sentence {len(made)}.", noise.randbytes(ms * MS)))
        left -= ms
    return made


MINUTE = sentences(REPLY_SECONDS)
REPLY = b"".join(sentence.audio for sentence in MINUTE)


async def hear_the_reply(line: Line) -> None:
    await line.quiet(0.2, CALL_SECONDS)
    await line.say(a_word())

    def all_heard() -> bool:
        return REPLY in heard(line) and not line.ear.ahead_ms(line.ear_time(line.clock()))

    assert await line.until(all_heard, 2 * CALL_SECONDS), (line.doing, len(heard(line)))


def make_fast(workers: Workers, ear_speed: float = 1.0) -> None:
    workers.answers = lambda turn_id: MINUTE
    workers.piece_seconds = workers.pieces_ms / 1000 / ear_speed / FASTER


@pytest.mark.django_db(transaction=True)
async def test_every_frame_of_a_reply_made_faster_than_spoken_arrives_in_order(
    broker: str, redis: Redis
) -> None:
    """The caller hears so much faster that the minute takes seconds: a server sees marks alone."""
    line = Line(ear_speed=40.0)
    async with (
        in_process.serving(broker, messages_per_second=10_000),
        playing(broker, in_process.Rows()) as workers,
    ):
        make_fast(workers, ear_speed=40.0)
        opened = await in_process.open_call()
        carrying = asyncio.create_task(in_process.carry(line, opened))
        await hear_the_reply(line)
        line.hang_up()
        assert await carrying == 1000
    assert line.ear.most_ahead_ms <= BUFFERED_MS
    assert line.errors == []
    (turn,) = await in_process.turn_rows(opened.call_id)
    assert (turn.state, turn.heard) == ("done", " ".join(s.text for s in MINUTE))


async def test_replies_of_ten_minutes_made_at_once_do_not_grow_the_web_process(
    web: Web, workers: Workers
) -> None:
    endless = sentences(ENDLESS_SECONDS)
    workers.answers = lambda turn_id: endless
    began: list[float] = []
    lines = [Line(keep=False) for _ in range(CALLERS)]

    waiting: list[float] = []

    async def listen_and_wait(line: Line) -> None:
        await line.quiet(0.2, CALL_SECONDS)
        began.append(web.megabytes)
        said = await line.say(a_word())
        assert await line.hears_after(said.ended, 1500, CALL_SECONDS)
        waiting.append(web.megabytes)
        assert await line.until(lambda: len(waiting) == CALLERS, CALL_SECONDS)

    calls = [conduct(web, line, listen_and_wait, caller=number(n)) for n, line in enumerate(lines)]
    await asyncio.gather(*calls)
    assert max(waiting) - max(began) < SLACK_MB
    assert max(line.ear.most_ahead_ms for line in lines) <= BUFFERED_MS


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_the_same_minute_at_its_true_length_over_real_sockets(
    web: Web, workers: Workers
) -> None:
    make_fast(workers)
    before = web.megabytes
    lines = [Line() for _ in range(CALLERS)]
    calls = [conduct(web, line, hear_the_reply, caller=number(n)) for n, line in enumerate(lines)]
    await asyncio.gather(*calls)
    assert web.megabytes - before < SLACK_MB
    for line in lines:
        assert line.ear.most_ahead_ms <= BUFFERED_MS
        assert len(line.ear.spans) < 10, "heard without gaps"
        assert line.errors == []
