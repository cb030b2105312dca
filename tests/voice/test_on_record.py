"""What the caller is told of a turn waits until its row is written."""

from __future__ import annotations

import pytest

from tests.voice.test_conversation import AUDIO, Call
from voice import events
from voice.turns import Begin, Recognise, Tell


@pytest.fixture
def call() -> Call:
    return Call()


@pytest.mark.parametrize("stored", [True, False])
def test_the_end_of_a_turn_is_told_after_its_words(call: Call, stored: bool) -> None:
    call.talk.typed("add milk", call.now)
    call.talk.interrupt(call.now)
    commands = call.talk.take()
    told = [c.message["type"] for c in commands if isinstance(c, Tell)]
    assert not {"transcript", "turn_done"} & set(told)
    (begin,) = [c for c in commands if isinstance(c, Begin)]
    if stored:
        call.talk.begun(begin)
    else:
        call.talk.failed(begin, RuntimeError("disk full"), call.now)
    told = [c.message["type"] for c in call.talk.take() if isinstance(c, Tell)]
    assert told == (["transcript", "turn_done"] if stored else ["turn_done", "notice"])


def test_words_found_before_the_row_is_written_are_shown_after_it(call: Call) -> None:
    call.talk.speech_started(call.now)
    call.talk.speech_ended(AUDIO, 600, call.now)
    commands = call.talk.take()
    (asked,) = [c for c in commands if isinstance(c, Recognise)]
    (begin,) = [c for c in commands if isinstance(c, Begin)]
    call.talk.handle(events.Transcribed(asked.utterance_id, "add milk"), call.now)
    assert not [c for c in call.talk.take() if isinstance(c, Tell) and "text" in c.message]
    call.talk.begun(begin)
    assert [m["text"] for m in call.told("transcript")] == ["add milk"]
