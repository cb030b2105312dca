"""A caller who speaks over a reply: it stops, and the history ends where they stopped hearing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from convonet.far_end.line import Arrival, Line
from tests.phone.calling import CALL_SECONDS, a_word, conduct
from tests.phone.web import Web
from tests.phone.workers import MS, Spoken, Workers

pytestmark = pytest.mark.service

WORDS = [f"word{number}" for number in range(100)]
WORD_MS = 200
# By these the two replies can be told apart.
OLD, NEW = b"\x11", b"\x22"
NEW_MS = 300
# Marks and the clear may pass each other on a slow machine's way; a second of them is not slow.
ON_ITS_WAY_MS = 1000


class Replies:
    """Twenty seconds to the first thing that is said, and a moment to all others."""

    def __init__(self) -> None:
        self.turns: list[str] = []

    def __call__(self, turn_id: str) -> Sequence[Spoken]:
        self.turns.append(turn_id)
        if len(self.turns) > 1:
            return [Spoken("All right.", NEW * NEW_MS * MS)]
        return [Spoken(" ".join(WORDS), OLD * len(WORDS) * WORD_MS * MS)]


async def interrupt(line: Line, turns: Replies) -> None:
    """Say something, listen for a moment, speak over the rest, hear the next reply out."""
    await line.quiet(0.2, CALL_SECONDS)
    first = await line.say(a_word())
    assert await line.hears_after(first.ended, 700, CALL_SECONDS)
    await line.say(a_word())
    assert await line.until(lambda: len(turns.turns) == 2, CALL_SECONDS)
    assert await line.until(lambda: line.ear.spans[-1].audio[-1:] == NEW, CALL_SECONDS)
    assert await line.quiet(0.2, CALL_SECONDS)


def media_after_clear(line: Line) -> list[Arrival]:
    events = list(line.arrivals)
    (cleared,) = [number for number, event in enumerate(events) if event.kind == "clear"]
    return [event for event in events[cleared:] if event.kind == "media"]


async def test_an_interrupted_reply_ends_with_the_clear_and_is_kept_as_far_as_it_was_heard(
    web: Web, workers: Workers
) -> None:
    line, replies = Line(), Replies()
    workers.answers = replies
    await conduct(web, line, lambda line: interrupt(line, replies))
    assert line.errors == []
    # On the wire: behind the clear there is the new reply and nothing else.
    assert sum(arrival.size for arrival in media_after_clear(line)) == NEW_MS * MS
    assert line.ear.cleared_ms > 0
    assert line.ear.marks_out == 0
    # In the ear: the old reply once, up to the clear.
    (old,) = [span.audio for span in line.ear.spans if OLD in span.audio]
    assert NEW not in old
    # In the row: never more than was heard; less by what was on its way when the clear was sent.
    ((state, kept),) = web.rows(
        "select state, heard from voice_turn where id = ?", replies.turns[0].replace("-", "")
    )
    words, heard_words = kept.split(), old.count(OLD) // MS // WORD_MS
    assert state == "interrupted"
    assert words == WORDS[: len(words)]
    assert heard_words - ON_ITS_WAY_MS // WORD_MS <= len(words) <= heard_words
