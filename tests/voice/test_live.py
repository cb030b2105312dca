"""What a live recogniser is sent and what its answers mean, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.voice.speech import Speech
from voice.audio import BROWSER
from voice.ears import Interim, Verdict
from voice.live import FINALIZE, Garbled, LiveHearing
from voice.turns import Recognise

SECOND = BROWSER.bytes_per_second


class Call:
    """Drives the machine as the socket does, with a clock of its own."""

    def __init__(self, language: str = "") -> None:
        self.hearing = LiveHearing(BROWSER, language)
        self.hearing.connected()
        self.speech = Speech()
        self.now = 100.0
        self.asked = 0

    def speak(self, seconds: float) -> None:
        self.speech = Speech()
        self.hearing.started(self.speech)
        self.speech.grow(seconds)

    def pause(self) -> Recognise:
        """The caller pauses: the question that is asked then."""
        self.asked += 1
        command = Recognise(f"u{self.asked}", self.speech.audio)
        assert self.hearing.recognise(command, self.now)
        return command

    def sent(self) -> list[str | int]:
        """All that leaves now: control messages, and runs of audio as numbers of bytes."""
        frames: list[str | int] = []
        while (frame := self.hearing.next_frame(self.now)) is not None:
            if isinstance(frame, str):
                frames.append(frame)
            elif frames and isinstance(frames[-1], int):
                frames[-1] += len(frame)
            else:
                frames.append(len(frame))
        return frames

    def hear(self, message: Any) -> list[Interim | Verdict]:
        return self.hearing.received(json.dumps(message), self.now)

    def words(self, text: str, start: float, end: float, **fields: Any) -> list[Any]:
        """A result for this stretch of seconds; answers (words, error) of each verdict."""
        found = self.hear(result(text, start, end, **fields))
        return [
            one.text if isinstance(one, Interim) else (one.text, one.error, one.command)
            for one in found
        ]


def result(text: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
    languages = fields.pop("languages", None)
    alternative = {"transcript": text, **({"languages": languages} if languages else {})}
    return {
        "type": "Results",
        "start": start,
        "duration": end - start,
        "is_final": True,
        "channel": {"alternatives": [alternative]},
        **fields,
    }


INTERIM = {"is_final": False}
FLUSHED = {"from_finalize": True}


def test_speech_leaves_as_it_comes_and_is_closed_by_a_finalize_at_the_pause() -> None:
    call = Call()
    call.speak(0.05)
    assert call.sent() == []
    call.speech.grow(0.15)
    assert call.sent() == [SECOND // 5]
    call.speech.grow(0.05)
    call.pause()
    assert call.sent() == [SECOND // 20, FINALIZE]
    assert call.sent() == []


def test_no_message_holds_more_than_a_quarter_of_a_second() -> None:
    call = Call()
    call.speak(3.0)
    call.pause()
    sizes = []
    while isinstance(frame := call.hearing.next_frame(call.now), bytes | memoryview):
        sizes.append(len(frame))
    assert sum(sizes) == 3 * SECOND
    assert max(sizes) <= SECOND // 4


def test_words_are_shown_as_they_come_and_told_at_the_pause() -> None:
    call = Call()
    call.speak(1.0)
    call.sent()
    assert call.words("add", 0, 0.5, **INTERIM) == ["add"]
    assert call.words("add buy", 0, 1.0, **INTERIM) == ["add buy"]
    call.speech.grow(0.5)
    command = call.pause()
    call.sent()
    assert call.words("Add buy milk.", 0, 1.5, **FLUSHED) == [("Add buy milk.", "", command)]


def test_an_answer_is_the_sum_of_its_final_parts() -> None:
    call = Call()
    call.speak(2.0)
    call.sent()
    assert call.words("remind me", 0, 1.2) == ["remind me"]
    assert call.words("to call", 1.2, 2.0, **INTERIM) == ["remind me to call"]
    command = call.pause()
    call.sent()
    assert call.words("to call Anna", 1.2, 2.0, **FLUSHED) == [
        ("remind me to call Anna", "", command)
    ]


@pytest.mark.parametrize(
    ("end", "fields", "answered"),
    [
        pytest.param(2.0, FLUSHED, True, id="flushed"),
        pytest.param(1.9, {}, True, id="final up to the pause, and never said to be flushed"),
        pytest.param(1.5, {}, False, id="final up to the middle"),
        pytest.param(2.0, INTERIM, False, id="not final"),
        pytest.param(1.2, FLUSHED, True, id="flushed, by a server that counts time otherwise"),
    ],
)
def test_a_pause_is_answered_by_what_is_final_up_to_it(
    end: float, fields: dict[str, Any], answered: bool
) -> None:
    call = Call()
    call.speak(2.0)
    call.pause()
    call.sent()
    found = call.hear(result("buy milk", 0, end, **fields))
    assert any(isinstance(one, Verdict) for one in found) == answered


def test_the_only_open_finalize_is_answered_whatever_the_server_counts_as_time() -> None:
    call = Call()
    for number in range(2):
        call.speak(1.0)
        command = call.pause()
        call.sent()
        assert call.words(f"todo {number}", 0, 0.1, **FLUSHED) == [(f"todo {number}", "", command)]
        call.hearing.over()


def test_a_caller_who_goes_on_is_heard_from_the_start() -> None:
    call = Call()
    call.speak(1.0)
    call.pause()
    call.sent()
    call.words("add milk", 0, 1.0, **FLUSHED)
    call.speech.grow(0.3)
    assert call.sent() == []
    call.hearing.resumed()
    assert call.sent() == [BROWSER.bytes_of(240)]
    call.speech.grow(0.7)
    command = call.pause()
    call.sent()
    assert call.words("and butter", 1.0, 2.0, **FLUSHED) == [("add milk and butter", "", command)]


def test_the_answer_to_a_pause_that_was_none_is_not_taken_for_the_next() -> None:
    call = Call()
    call.speak(1.0)
    call.pause()
    call.sent()
    call.hearing.resumed()
    call.speech.grow(1.0)
    command = call.pause()
    call.sent()
    assert call.words("add milk", 0, 1.0, **FLUSHED) == ["add milk"]
    assert call.words("and butter", 1.0, 2.0, **FLUSHED) == [("add milk and butter", "", command)]


def test_utterances_are_answered_each_by_its_own_words() -> None:
    call = Call()
    call.speak(1.0)
    first = call.pause()
    call.sent()
    call.hearing.over()
    call.speak(1.0)
    second = call.pause()
    assert call.sent() == [SECOND, FINALIZE]
    assert call.words("add milk", 0, 1.0, **FLUSHED) == [("add milk", "", first)]
    call.hearing.over()
    assert call.words("undo that", 1.0, 2.0, **FLUSHED) == [("undo that", "", second)]
    assert not call.hearing.busy


def test_words_of_an_utterance_that_is_forgotten_are_nobodys() -> None:
    call = Call()
    call.speak(1.0)
    call.sent()
    call.hearing.over()
    assert call.sent() == [FINALIZE]
    call.speak(1.0)
    call.sent()
    assert call.words("mumble", 0, 1.0, **FLUSHED) == []
    assert call.words("add milk", 1.0, 2.0, **INTERIM) == ["add milk"]


def test_noise_is_no_words() -> None:
    call = Call()
    call.speak(1.0)
    command = call.pause()
    call.sent()
    assert call.words("", 0, 1.0, **FLUSHED) == [("", "", command)]


def test_words_that_were_there_and_are_gone_are_no_silence() -> None:
    call = Call()
    call.speak(1.0)
    call.sent()
    call.words("add milk", 0, 0.8, **INTERIM)
    command = call.pause()
    call.sent()
    assert call.words("", 0, 1.0, **FLUSHED) == [("", "speech_half", command)]


def test_speech_from_before_the_connection_leaves_once_it_is_there() -> None:
    call = Call()
    call.speak(1.5)
    command = call.pause()
    call.hearing.connected()
    assert call.sent() == [SECOND * 3 // 2, FINALIZE]
    assert call.words("buy milk", 0, 1.5, **FLUSHED) == [("buy milk", "", command)]


def test_a_broken_connection_gives_every_question_back() -> None:
    call = Call()
    call.speak(1.0)
    first = call.pause()
    call.sent()
    call.hearing.over()
    call.speak(1.0)
    second = call.pause()
    verdicts = call.hearing.broke("closed 1011", call.now)
    assert [(one.command, one.error) for one in verdicts] == [
        (first, "closed 1011"),
        (second, "closed 1011"),
    ]
    assert not call.hearing.recognise(second, call.now)
    assert call.sent() == []


def test_the_rest_of_an_utterance_whose_connection_broke_is_not_for_the_next() -> None:
    call = Call()
    call.speak(1.0)
    call.sent()
    assert call.hearing.broke("closed", call.now) == []
    call.hearing.connected()
    call.speech.grow(1.0)
    assert call.sent() == []
    assert not call.hearing.recognise(Recognise("late", call.speech.audio), call.now)


def test_what_nobody_answers_expires_once() -> None:
    call = Call()
    call.speak(1.0)
    command = call.pause()
    call.sent()
    call.now += 1
    verdict = call.hearing.expired(command.utterance_id, "no answer", call.now)
    assert verdict is not None
    assert (verdict.command, verdict.error, verdict.took_ms) == (command, "no answer", 1000)
    assert call.hearing.expired(command.utterance_id, "no answer", call.now) is None


def test_nothing_expires_for_a_caller_who_went_on() -> None:
    call = Call()
    call.speak(1.0)
    command = call.pause()
    call.sent()
    call.hearing.resumed()
    assert call.hearing.expired(command.utterance_id, "no answer", call.now) is None


def test_each_second_of_audio_is_counted_once() -> None:
    call = Call()
    call.speak(1.0)
    call.pause()
    call.sent()
    call.now += 0.25
    (verdict,) = call.hear(result("add", 0, 1.0, **FLUSHED))
    assert isinstance(verdict, Verdict)
    assert (verdict.audio_ms, verdict.took_ms, verdict.first_ms) == (1000, 250, 250)
    call.hearing.resumed()
    call.speech.grow(0.5)
    call.pause()
    call.sent()
    (verdict,) = call.hear(result("milk", 1.0, 1.5, **FLUSHED))
    assert isinstance(verdict, Verdict)
    assert verdict.audio_ms == 500


@pytest.mark.parametrize(
    ("parts", "set_language", "language"),
    [
        ([("hallo", ["de"])], "", "de"),
        ([("add", ["en"]), ("Milch und Brot", ["de", "en"])], "", "de"),
        ([("add milk", ["en-US"])], "", "en"),
        ([("add milk", None)], "en", "en"),
        ([("hola", ["es"])], "en", "es"),
        ([("add milk", None)], "", ""),
        ([("", ["de"])], "", ""),
    ],
)
def test_the_language_is_the_one_that_most_words_are_in(
    parts: list[tuple[str, list[str] | None]], set_language: str, language: str
) -> None:
    call = Call(set_language)
    call.speak(float(len(parts)))
    call.pause()
    call.sent()
    for number, (text, languages) in enumerate(parts):
        last = FLUSHED if number == len(parts) - 1 else {}
        found = call.hear(result(text, number, number + 1.0, languages=languages, **last))
    (verdict,) = found
    assert isinstance(verdict, Verdict)
    assert verdict.language == language


@pytest.mark.parametrize(
    "message",
    [
        "",
        "<html>",
        "[]",
        "null",
        "7",
        '{"type": "Results"}',
        '{"type": "Results", "start": "soon", "duration": 1, "is_final": true}',
        '{"type": "Results", "start": Infinity, "duration": 1, "is_final": true}',
        '{"type": "Results", "start": 0, "duration": 1, "channel": {"alternatives": []}}',
        '{"type": "Error", "description": "no"}',
        "[" * 100_000,
        b"\xff\xfe\xfd",
    ],
)
def test_what_is_no_message_is_told_from_one(message: str | bytes) -> None:
    with pytest.raises(Garbled):
        Call().hearing.received(message, 0.0)


def test_an_error_message_is_the_servers_own() -> None:
    with pytest.raises(Garbled, match="speech_server"):
        Call().hear({"type": "Error", "variant": "NET-0001"})


@pytest.mark.parametrize("kind", ["Metadata", "UtteranceEnd", "SpeechStarted", "Configured"])
def test_messages_that_say_nothing_of_words_are_passed_by(kind: str) -> None:
    assert Call().hear({"type": kind}) == []
