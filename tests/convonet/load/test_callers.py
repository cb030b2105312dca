"""What callers hear and say, when they are called, and how late that was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from convonet.load import loudness
from convonet.load.beat import Beat
from convonet.load.hearing import Gap, Hearing
from convonet.load.lateness import Late
from convonet.load.talk import PATIENCE_SECONDS, Talk


def test_sound_that_comes_ahead_has_no_gap() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("a", 100, 100, now=1.05)
    counts = hearing.take()
    assert (counts.frames, counts.gaps, counts.lost_ms, counts.doubled_ms) == (10, [], 0, 0)


def test_sound_that_comes_after_the_last_was_heard_leaves_a_gap_of_whole_frames() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("a", 100, 100, now=1.125)
    assert hearing.take().gaps == [Gap("a", 1.125, 2)]
    assert hearing.quiet_since(1.3) == pytest.approx(0.075)


def test_the_pause_between_two_turns_is_no_gap() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("b", 0, 100, now=9.0)
    assert hearing.take().gaps == []


def test_holes_and_repetitions_are_counted() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("a", 140, 100, now=1.0)
    hearing.piece("a", 140, 100, now=1.0)
    counts = hearing.take()
    assert (counts.lost_ms, counts.doubled_ms) == (40, 100)
    assert hearing.take().lost_ms == 0


def test_a_turn_goes_on_from_where_it_was_cleared_or_something_else_was_said() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 1000, now=1.0)
    hearing.clear(1.2)
    hearing.piece("a", 200, 100, now=5.0)
    hearing.piece("b", 0, 100, now=6.0)
    hearing.piece("a", 300, 100, now=7.0)
    counts = hearing.take()
    assert (counts.gaps, counts.lost_ms, counts.doubled_ms) == ([], 0, 0)


def test_what_was_played_is_told_as_it_is_heard() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 1000, now=1.0)
    assert hearing.played_ms(1.25) == 250
    hearing.clear(1.3)
    assert hearing.quiet_since(1.3) == 0.0


def test_a_caller_speaks_by_the_clock_and_not_over_an_answer() -> None:
    talk, hearing = Talk(every=10, offset=2), Hearing()
    talk.begin(100.0)
    assert not talk.tick(101.9, hearing)
    assert talk.tick(102.0, hearing)
    talk.spoken(103.0)
    assert not talk.tick(112.0, hearing)
    hearing.piece("a", 0, 2000, now=112.5)
    assert not talk.tick(113.0, hearing)
    assert talk.tick(115.0, hearing)
    told = talk.take()
    assert (told.said, told.held) == (2, 1)
    ((ended, reply),) = told.answers
    assert (ended, reply.first_at, told.spoken) == (103.0, 112.5, [103.0])


def test_a_caller_without_an_answer_asks_again() -> None:
    talk, hearing = Talk(every=10, offset=0), Hearing()
    talk.begin(0.0)
    assert talk.tick(0.0, hearing)
    talk.spoken(1.0)
    assert not talk.tick(1.0 + PATIENCE_SECONDS, hearing)
    assert talk.tick(1.1 + PATIENCE_SECONDS, hearing)
    assert talk.take().unanswered == 1


def test_lateness_is_told_in_milliseconds() -> None:
    late = Late()
    for ms in range(100):
        late.add(ms / 1000)
    assert late.quantile(0.5) == 49
    assert late.told()["p99_ms"] == 98
    assert (late.told()["most_ms"], late.told()["over_20_ms"]) == (99, 79)
    late.clear()
    assert late.quantile(0.99) == 0


def test_the_first_of_the_answer_is_told_from_what_was_said_before_it() -> None:
    hearing = Hearing()
    hearing.heard("a", 0, 100, loudness.QUIET, now=1.0)
    hearing.heard("a", 100, 100, loudness.LOUD, now=1.5)
    assert hearing.reply is not None
    assert (hearing.reply.first_at, hearing.reply.answered_at) == (1.0, 1.5)


def test_a_server_that_names_no_turns_is_heard_by_what_was_said() -> None:
    hearing = Hearing()
    for said, at in ((1, 1.0), (1, 1.5), (2, 9.0)):
        hearing.said = said
        hearing.heard("", None, 100, loudness.LOUD, now=at)
        hearing.heard("", None, 100, loudness.SILENT, now=at)
    counts = hearing.take()
    assert (counts.gaps, counts.frames) == ([Gap("1", 1.5, 20)], 15)
    assert (counts.lost_ms, counts.doubled_ms) == (0, 0)


async def test_everybody_is_called_by_their_period_and_no_two_at_once_if_there_is_room() -> None:
    now = 0.0
    beat = Beat(lambda: now)
    called: dict[str, list[float]] = {}
    done = asyncio.Event()

    def step(name: str) -> Callable[[float, float], None]:
        def called_at(at: float, due: float) -> None:
            called.setdefault(name, []).append(round(due, 3))
            if len(called[name]) == 3:
                done.set()

        return called_at

    removals = [beat.add(step(name), period) for name, period in (("a", 20), ("b", 20), ("c", 40))]
    now = 0.1
    await done.wait()
    for remove in removals:
        remove()
    assert called["a"][:3] == pytest.approx([0.0, 0.02, 0.04])
    assert called["b"][1] - called["b"][0] == pytest.approx(0.02)
    assert called["c"][1] - called["c"][0] == pytest.approx(0.04)
    assert not set(called["a"]) & set(called["b"]) | set(called["a"]) & set(called["c"])
