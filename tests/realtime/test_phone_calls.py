"""Telephone calls that a speech-to-speech model holds, through the whole product.

The caller's mu-law goes to the model as it came, and the model's to the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from convonet.far_end.line import Line
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.webhooks import Account, Route, Webhooks
from tests.phone.calling import a_word, heard
from tests.realtime.conftest import PUBLIC_URL
from tests.stack import Stack
from tests.standins.realtime_audio import speech
from tests.standins.realtime_process import RealtimeStandIn
from tests.standins.realtime_script import Item, Said, Visit

pytestmark = pytest.mark.service

BYTES_PER_MS = 8
PATIENCE_SECONDS = 60.0
STORY = " ".join(f"This is sentence {n} of a long story." for n in range(1, 41))
CUT_MS, SORRY_BYTES = 1500, 500 * BYTES_PER_MS
# As fast as marks may come back: a server takes forty messages a second.
QUICK_EAR = 3.0
_IDENTIFY = """
from django.contrib.auth import get_user_model
from voice.models import Call
demo = get_user_model().objects.get(username="demo")
answer = Call.objects.filter(phone__sid={sid!r}).update(user=demo, identified=True)
"""
Person = Callable[[Line], Awaitable[None]]


async def conduct(product: Stack, line: Line, person: Person) -> None:
    """A call by somebody whom the server knows, from its webhook to its status callback."""
    route = Route(PUBLIC_URL, product.url)
    async with Webhooks(Account(), route) as webhooks:
        dialog = Dialog(
            voice_url=f"{PUBLIC_URL}/twilio/voice", status_url=f"{PUBLIC_URL}/twilio/status"
        )
        call = PhoneCall(line, webhooks, dialog)
        # Twilio may repeat a webhook: the rows are there before the call goes on.
        await webhooks.ask(dialog.voice_url, call.parameters())
        assert await asyncio.to_thread(product.ask, _IDENTIFY.format(sid=call.sid)) == 1
        await asyncio.wait_for(call.run(person), 3 * PATIENCE_SECONDS)
    assert line.errors == []


async def until(model: RealtimeStandIn, seen: Callable[[list[Visit]], Any], what: str) -> Any:
    return await asyncio.to_thread(model.wait_for, seen, what)


def on_line(sockets: int) -> Callable[[list[Visit]], bool]:
    return lambda visits: len(visits) >= sockets and visits[-1].appended_bytes > 0


def responses(number: int, status: str = "completed") -> Callable[[list[Visit]], list[Said]]:
    """Once there are so many with that status in all sockets together."""

    def seen(visits: list[Visit]) -> list[Said]:
        found = [r for visit in visits for r in visit.responses if r.status == status]
        return found if len(found) >= number else []

    return seen


def answer(ms: int, from_ms: int = 0) -> bytes:
    """What the model says within so much time, see `Reply.from_ms`."""
    return speech("audio/pcmu", from_ms * BYTES_PER_MS, ms * BYTES_PER_MS)


async def hears(line: Line, audio: bytes) -> None:
    """Until this is the last that was heard."""
    said = await line.until(
        lambda: heard(line).endswith(audio) and not line.ear.ahead_ms(ear_now(line)),
        PATIENCE_SECONDS,
    )
    assert said, (line.doing, len(heard(line)))


def ear_now(line: Line) -> float:
    return line.ear_time(line.clock())


async def test_a_reply_made_ten_times_faster_is_heard_whole_untouched_and_in_order(
    product: Stack, model: RealtimeStandIn
) -> None:
    model.configure(transcripts=["Tell me."], scripts={"Tell me.": [{"say": STORY, "ms": 9_000}]})
    line = Line(ear_speed=QUICK_EAR)

    async def person(line: Line) -> None:
        await line.quiet(0.5, PATIENCE_SECONDS)
        await until(model, on_line(1), "the model hears the caller")
        await line.say(a_word())
        await hears(line, answer(9_000))

    await conduct(product, line, person)
    assert line.ear.most_ahead_ms <= 2000
    (visit,) = model.visits
    assert visit.session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert not visit.errors
    assert visit.responses[0].audio_bytes == 9_000 * BYTES_PER_MS


async def test_a_command_an_interruption_and_a_lost_model_in_one_telephone_call(
    product: Stack, model: RealtimeStandIn
) -> None:
    title = "phone realtime milk"
    model.configure(
        transcripts=["Add milk.", "Tell me a story.", "Stop.", "Tell me more.", "Still there?"],
        scripts={
            "Add milk.": [
                {"tools": [["add_todos", {"items": [{"title": title}]}]]},
                {"say": "Added.", "ms": 400, "from_ms": 900},
            ],
            "Tell me a story.": [{"say": STORY, "ms": 30_000}],
            "Stop.": [{"say": "All right.", "ms": 500, "from_ms": 1100}],
            "Tell me more.": [{"say": STORY, "ms": 20_000, "cut_at_ms": CUT_MS}],
            "Still there?": [{"say": "Yes.", "ms": 600, "from_ms": 1300}],
        },
    )

    async def person(line: Line) -> None:
        await line.quiet(0.3, PATIENCE_SECONDS)
        await until(model, on_line(1), "the model hears the caller")
        await line.say(a_word())
        await hears(line, answer(400, 900))
        await line.say(a_word())
        assert await line.until(lambda: answer(600) in heard(line), PATIENCE_SECONDS)
        await line.say(a_word())
        await until(model, responses(3), "the interruption is answered")
        await hears(line, answer(500, 1100))
        before = len(heard(line))
        await line.say(a_word())
        # What there was of it, and then our own voice, which says that the rest is lost.
        assert await line.until(
            lambda: len(heard(line)[before:].partition(answer(CUT_MS))[2]) >= SORRY_BYTES,
            PATIENCE_SECONDS,
        )
        await until(model, on_line(2), "the model is back")
        await line.say(a_word())
        await until(model, responses(4), "the last question is answered")
        await hears(line, answer(600, 1300))

    line = Line()
    await conduct(product, line, person)
    assert product.rows("SELECT count(*) FROM todo_todo WHERE title = ?", title) == [(1,)]
    assert line.count("clear") >= 1
    assert line.ear.cleared_ms > 0
    first, second = model.visits
    assert not first.errors
    assert not second.errors
    cancelled = responses(1, "cancelled")(model.visits)[0]
    item = story_of(first, cancelled)
    assert cancelled.late_bytes > 0
    assert item.truncated_ms is not None
    assert 0 < item.truncated_ms < 10_000
    rows = turns(product)
    assert [(state, words) for state, words, _ in rows] == [
        ("done", "Add milk."),
        ("interrupted", "Tell me a story."),
        ("done", "Stop."),
        ("failed", "Tell me more."),
        ("done", "Still there?"),
    ]
    assert STORY.startswith(rows[1][2])
    assert [item.text for item in second.items if item.role == "user"] == [row[1] for row in rows]


def story_of(visit: Visit, said: Said) -> Item:
    return next(item for item in visit.items if item.id == said.item_id)


def turns(product: Stack) -> list[tuple[Any, ...]]:
    """(state, words, heard) of the last call's turns."""
    last = "SELECT id FROM voice_call ORDER BY started_at DESC LIMIT 1"
    return product.rows(
        f"SELECT state, transcript, heard FROM voice_turn WHERE call_id = ({last}) ORDER BY number"
    )
