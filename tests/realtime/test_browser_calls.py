"""Browser calls that a speech-to-speech model holds, through the whole product."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import pytest

from convonet.caller import REALTIME
from convonet.recordings import read_wav
from tests.realtime.page import Page, page
from tests.stack import ROOT, Stack, StackFailure
from tests.standins.realtime_process import RealtimeStandIn
from tests.standins.realtime_script import Visit

pytestmark = pytest.mark.service

AUDIO = ROOT / "tests" / "audio"
BYTES_PER_MS = 48
MINUTE = " ".join(f"This is sentence {n} of a long story." for n in range(1, 41))


def last_turn(stack: Stack) -> tuple[Any, ...]:
    """The turn that ended last: (state, transcript, reply, heard, error)."""
    sql = "SELECT state, transcript, reply, heard, error FROM voice_turn ORDER BY created_at DESC"
    return stack.rows(f"{sql} LIMIT 1")[0]


async def on_line(model: RealtimeStandIn, its: Page, sockets: int = 1) -> None:
    """Until the model hears the caller."""

    def hears(visits: list[Visit]) -> bool:
        return len(visits) >= sockets and visits[-1].appended_bytes > 0

    await asyncio.to_thread(model.wait_for, hears, "the model hears the caller")


def test_a_recording_is_heard_by_the_model_and_done_by_its_tool(
    product: Stack, model: RealtimeStandIn
) -> None:
    title = "buy realtime milk"
    model.configure(
        transcripts=["Add buy milk to my list."],
        scripts={
            "Add buy milk to my list.": [
                {
                    "tools": [
                        ["add_todos", {"items": [{"title": title, "due": "tomorrow at five"}]}]
                    ]
                },
                {"say": "Added buy milk for tomorrow at five."},
            ]
        },
    )
    said = product.manage("call", "--realtime", "--json", str(AUDIO / "00-woman.wav"))
    report = json.loads(said.splitlines()[-1])
    assert report["transcript"] == "Add buy milk to my list."
    assert report["reply"] == "Added buy milk for tomorrow at five."
    assert [call["name"] for call in report["tool_calls"]] == ["add_todos"]
    assert report["states"] == ["done"]
    assert report["timings_ms"]["first_audio"] > 0
    assert product.rows("SELECT count(*) FROM todo_todo WHERE title = ?", title) == [(1,)]
    (visit,) = model.visits
    assert not visit.errors
    assert visit.session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert "You keep demo's todos" in visit.session["instructions"]
    assert "add_todos" in {tool["name"] for tool in visit.session["tools"]}
    (output,) = visit.outputs.values()
    assert "Added" in json.loads(output)["said"]
    assert last_turn(product)[:3] == (
        "done",
        "Add buy milk to my list.",
        "Added buy milk for tomorrow at five.",
    )


def test_a_call_at_another_rate_says_what_the_server_takes(
    product: Stack, model: RealtimeStandIn
) -> None:
    with pytest.raises(StackFailure, match="Add --realtime"):
        product.manage("call", str(AUDIO / "00-woman.wav"))


async def test_a_minute_made_ten_times_faster_arrives_whole_in_order_and_two_seconds_ahead(
    product: Stack, model: RealtimeStandIn
) -> None:
    model.configure(scripts={"Tell me a story.": [{"say": MINUTE, "ms": 60_000}]})
    async with page(product) as its:
        await on_line(model, its)
        its.listening = False
        await its.type("Tell me a story.")
        made = await asyncio.to_thread(model.wait_for, made_ms(10_000), "ten seconds are made")
        number = max(its.audio)
        assert made >= 10_000
        # All that may leave has left, and no more follows while nothing of it is heard.
        await its.until(lambda: its.ms(number) > 1900)
        assert its.ms(number) <= 2000
        its.listening = True
        done = await its.done(1)
        assert (done["state"], done["reply"], its.disorder) == ("done", MINUTE, [])
    (said,) = model.visits[0].responses
    assert said.audio_bytes == 60_000 * BYTES_PER_MS
    assert spoken(its, number) == (said.audio_bytes, said.sha256)
    assert last_turn(product)[:4] == ("done", "Tell me a story.", MINUTE, MINUTE)


def spoken(its: Page, number: int) -> tuple[int, str]:
    """Bytes and SHA-256 of a reply, without the words that filled the wait for it."""
    audio = bytes(its.audio[number][its.filled.get(number, 0) :])
    return len(audio), hashlib.sha256(audio).hexdigest()


def made_ms(least: int) -> Any:
    """Of the last response, once it is so much."""

    def made(visits: list[Visit]) -> int:
        responses = visits[-1].responses if visits else []
        ms = responses[-1].audio_bytes // BYTES_PER_MS if responses else 0
        return ms if ms >= least else 0

    return made


async def test_a_caller_who_speaks_over_the_reply_stops_it_where_they_heard_it(
    product: Stack, model: RealtimeStandIn
) -> None:
    model.configure(
        transcripts=["Stop, what is the time?"],
        scripts={
            "Tell me a story.": [{"say": MINUTE, "ms": 60_000}],
            "Stop, what is the time?": [{"say": "It is late."}],
        },
    )
    async with page(product) as its:
        await on_line(model, its)
        its.quick = False
        await its.type("Tell me a story.")
        await its.until(lambda: its.audio)
        (story,) = its.audio
        await its.until(lambda: its.ms(story) > 2500)
        its.say(read_wav(AUDIO / "17-woman.wav", REALTIME.rate_hz))
        cut = await its.done(1)
        heard_ms = its.heard_ms(story)
        after = await its.done(2)
    assert (cut["state"], cut["reply"][:18]) == ("interrupted", "This is sentence 1")
    assert MINUTE.startswith(cut["heard"])
    assert cut["heard"]
    assert [clear["number"] for clear in its.of("clear")] == [story]
    assert (its.late_bytes, its.disorder) == (0, [])
    assert (after["state"], after["reply"]) == ("done", "It is late.")
    (visit,) = model.visits
    assert not visit.errors
    told, answered = visit.responses
    assert (told.status, answered.status) == ("cancelled", "completed")
    # It made far more than was heard, and one piece more after it was told to stop.
    assert told.late_bytes > 0
    assert told.audio_bytes > heard_ms * BYTES_PER_MS
    item = next(item for item in visit.items if item.id == told.item_id)
    assert item.truncated_ms is not None
    assert 500 <= item.truncated_ms <= heard_ms
    assert [i.text for i in visit.items if i.role == "user"][-1] == "Stop, what is the time?"
    assert last_turn(product)[:3] == ("done", "Stop, what is the time?", "It is late.")


async def test_a_model_lost_in_mid_sentence_is_told_and_comes_back_knowing_what_was_said(
    product: Stack, model: RealtimeStandIn
) -> None:
    model.configure(
        scripts={
            "Tell me a story.": [{"say": MINUTE, "ms": 20_000, "cut_at_ms": 3000}],
            "Where were we?": [{"say": "At sentence two."}],
        }
    )
    async with page(product) as its:
        await on_line(model, its)
        await its.type("Tell me a story.")
        done = await its.done(1)
        story = min(its.audio)
        sorry = await its.until(lambda: [m for m in its.of("sentence") if "Sorry" in m["text"]])
        await on_line(model, its, sockets=2)
        await its.type("Where were we?")
        again = await its.until(
            lambda: [m for m in its.of("turn_done") if m["reply"] == "At sentence two."]
        )
    assert (done["state"], len(sorry), again[0]["state"]) == ("failed", 1, "done")
    assert MINUTE.startswith(done["heard"])
    first, second = model.visits
    # All that the model had said was heard, once.
    (cut,) = first.responses
    assert spoken(its, story) == (cut.audio_bytes, cut.sha256)
    assert its.disorder == []
    assert not second.errors
    said = [(item.role, item.text) for item in second.items]
    assert [text for role, text in said if role == "user"] == ["Tell me a story.", "Where were we?"]
    role, text = said[1]
    assert role == "assistant"
    assert MINUTE.startswith(text.partition(" Sorry")[0])
    assert len(text.split()) > 5


async def test_until_the_model_comes_a_call_is_held_without_it_and_then_it_knows_what_was_said(
    product: Stack, model: RealtimeStandIn
) -> None:
    model.configure(
        refuse=1000, refuse_status=429, scripts={"Did you?": [{"say": "Yes, I added them."}]}
    )
    async with page(product) as its:
        await its.type("add realtime pancakes")
        done = await its.done(1)
        model.configure(refuse=0)
        await on_line(model, its)
        await its.type("Did you?")
        again = await its.done(2)
    assert (done["state"], again["state"], again["reply"]) == ("done", "done", "Yes, I added them.")
    sql = "SELECT count(*) FROM todo_todo WHERE title = 'realtime pancakes'"
    assert product.rows(sql) == [(1,)]
    said = [(item.role, item.text) for item in model.visits[0].items]
    assert said[:3] == [
        ("user", "add realtime pancakes"),
        ("assistant", done["reply"]),
        ("user", "Did you?"),
    ]
