"""How each sentence of a reply is to be spoken, as the speech worker will read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from voice.events import Event, ReplyDelta, SentenceReady
from workers.reply import Reply

Fields = dict[str, str]


class Lease:
    """Keeps what is told and queued under it."""

    def __init__(self) -> None:
        self.sentences: list[Fields] = []
        self.told: list[list[Event]] = []
        self.queued: list[str] = []

    def tell(
        self, *events: Event, sentences: Fields | None = None, speech: Sequence[bytes] = ()
    ) -> None:
        self.told.append(list(events))
        self.queued += [json.loads(task)["headers"]["argsrepr"] for task in speech]
        if sentences:
            self.sentences.append(sentences)


@pytest.fixture
def lease() -> Lease:
    return Lease()


def reply(lease: Any, **manner: str) -> tuple[Reply, list[int]]:
    asked: list[int] = []

    def told() -> Fields:
        asked.append(1)
        return manner

    return Reply(lease, "t", "c", "pcm16/16000", 1500, told), asked


def test_each_sentence_is_in_the_callers_language_and_the_chosen_voice(lease: Lease) -> None:
    made, asked = reply(lease, language="de", voice="pico/en-GB", why="user")
    made.add("Erledigt. ")
    made.add("Noch etwas?")
    made.end_message()
    first, second = lease.sentences
    assert first == {
        "call": "c",
        "format": "pcm16/16000",
        "0": "Erledigt.",
        "language:0": "de",
        "voice": "pico/en-GB",
        "why": "user",
    }
    assert (second["1"], second["language:1"]) == ("Noch etwas?", "de")
    assert asked == [1]


def test_what_is_said_in_english_whatever_the_caller_speaks_is_spoken_in_english(
    lease: Lease,
) -> None:
    made, _ = reply(lease, language="de")
    made.add("Added milk.", english=True)
    made.end_message()
    made.add("Noch etwas?")
    made.say("That took too long.")
    languages = [sentence[f"language:{n}"] for n, sentence in enumerate(lease.sentences)]
    assert languages == ["en", "de", "en"]


def test_nothing_is_said_of_what_nobody_knows(lease: Lease) -> None:
    made, _ = reply(lease, language="", voice="", why="")
    made.add("Added milk.", english=True)
    made.end_message()
    assert lease.sentences == [{"call": "c", "format": "pcm16/16000", "0": "Added milk."}]


def test_nobody_is_asked_about_a_reply_without_sentences(lease: Lease) -> None:
    made, asked = reply(lease, language="de")
    made.end_message()
    assert (lease.sentences, asked) == ([], [])


def test_words_and_all_the_sentences_they_end_are_told_and_queued_in_one_step(lease: Lease) -> None:
    made, _ = reply(lease, language="de")
    made.add("Erledigt. Noch etwas? Ich")
    assert lease.told == [
        [
            ReplyDelta("t", "Erledigt. Noch etwas? Ich"),
            SentenceReady("t", 0, "Erledigt."),
            SentenceReady("t", 1, "Noch etwas?"),
        ]
    ]
    assert lease.queued == ["('t', 0)", "('t', 1)"]
    assert (lease.sentences[0]["0"], lease.sentences[0]["1"]) == ("Erledigt.", "Noch etwas?")
    assert made.sentences == 2
