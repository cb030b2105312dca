"""Steps from the agent's loop to the task's thread: in order, and words together."""

from __future__ import annotations

import asyncio
import threading

import pytest

from workers.inbox import MOST_GATHERED, Inbox
from workers.steps import Ended, Step, ToolBegan, Words


def taken(inbox: Inbox) -> Step | None:
    with inbox.next(0.0) as step:
        return step


def test_words_that_have_gathered_come_as_one_step_and_in_order() -> None:
    inbox = Inbox()
    for step in (Words("Here "), Words("it "), Words("is."), Ended()):
        inbox.put(step)
    assert [taken(inbox) for _ in range(3)] == [Words("Here it is."), Ended(), None]


def test_words_in_different_languages_are_not_mixed() -> None:
    inbox = Inbox()
    for step in (Words("Gut. "), Words("Sorry.", english=True), Words(" So."), Ended()):
        inbox.put(step)
    assert [taken(inbox) for _ in range(4)] == [
        Words("Gut. "),
        Words("Sorry.", english=True),
        Words(" So."),
        Ended(),
    ]


def test_a_model_that_talks_without_end_does_not_hold_its_turn() -> None:
    inbox = Inbox()
    for _ in range(MOST_GATHERED + 10):
        inbox.put(Words("a"))
    assert taken(inbox) == Words("a" * (MOST_GATHERED + 1))
    assert taken(inbox) == Words("a" * 9)


def test_who_waits_for_a_step_behind_words_goes_on_when_it_was_taken() -> None:
    inbox, tool = Inbox(), ToolBegan(0, "1", "add", {})
    inbox.put(Words("One moment."))

    async def act() -> None:
        async with asyncio.timeout(60):
            await inbox.recorded(tool)

    acting = threading.Thread(target=asyncio.run, args=(act(),))
    acting.start()
    steps: list[Step | None] = []
    while tool not in steps:
        with inbox.next(60.0) as step:
            steps.append(step)
    acting.join(60.0)
    assert not acting.is_alive()
    assert steps == [Words("One moment."), tool]


def test_who_waits_for_a_step_that_was_not_dealt_with_waits_on() -> None:
    inbox, tool = Inbox(), ToolBegan(0, "1", "add", {})

    async def act() -> None:
        waiting = asyncio.ensure_future(inbox.recorded(tool))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError), inbox.next(0.0):
            raise RuntimeError
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()

    asyncio.run(act())
