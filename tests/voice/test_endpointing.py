"""Endpointing from voiced and unvoiced frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.endpointing import Endpoint, Endpointer
from voice.options import EndpointOptions

OPTIONS = EndpointOptions()


def feed(endpointer: Endpointer, ms: int, *, voiced: bool) -> list[Endpoint]:
    frames = ms // OPTIONS.frame_ms
    return [e for e in (endpointer.feed(voiced) for _ in range(frames)) if e is not None]


@pytest.fixture
def endpointer() -> Endpointer:
    return Endpointer(OPTIONS)


def test_speech_starts_after_enough_voice(endpointer: Endpointer) -> None:
    assert feed(endpointer, 80, voiced=True) == []
    assert feed(endpointer, 20, voiced=True) == [Endpoint.STARTED]


def test_a_click_does_not_start_speech(endpointer: Endpointer) -> None:
    for _ in range(20):
        assert feed(endpointer, 40, voiced=True) == []
        assert feed(endpointer, 200, voiced=False) == []


def test_a_pause_then_silence_ends_the_utterance(endpointer: Endpointer) -> None:
    feed(endpointer, 500, voiced=True)
    assert feed(endpointer, OPTIONS.pause_ms, voiced=False) == [Endpoint.PAUSED]
    rest = OPTIONS.end_ms - OPTIONS.pause_ms
    assert feed(endpointer, rest, voiced=False) == [Endpoint.ENDED]
    assert not endpointer.in_speech


def test_a_short_pause_does_not_end_the_utterance(endpointer: Endpointer) -> None:
    feed(endpointer, 500, voiced=True)
    assert feed(endpointer, 400, voiced=False) == [Endpoint.PAUSED]
    assert feed(endpointer, 300, voiced=True) == [Endpoint.RESUMED]
    assert endpointer.in_speech


def test_a_click_in_a_pause_does_not_prolong_it(endpointer: Endpointer) -> None:
    feed(endpointer, 500, voiced=True)
    feed(endpointer, 300, voiced=False)
    assert feed(endpointer, 40, voiced=True) == []
    assert feed(endpointer, 260, voiced=False) == [Endpoint.ENDED]


def test_a_cough_is_discarded(endpointer: Endpointer) -> None:
    feed(endpointer, 120, voiced=True)
    assert feed(endpointer, 600, voiced=False)[-1] == Endpoint.DISCARDED


def test_endless_sound_is_cut_at_the_longest_utterance(endpointer: Endpointer) -> None:
    events = feed(endpointer, 3 * OPTIONS.most_ms, voiced=True)
    assert events.count(Endpoint.ENDED) == 3
    assert set(events) == {Endpoint.STARTED, Endpoint.ENDED}


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=60))
def test_transitions_always_alternate(runs: list[tuple[bool, int]]) -> None:
    endpointer, in_speech, paused = Endpointer(OPTIONS), False, False
    for voiced, frames in runs:
        for _ in range(frames):
            match endpointer.feed(voiced):
                case Endpoint.STARTED:
                    assert not in_speech
                    in_speech, paused = True, False
                case Endpoint.PAUSED:
                    assert in_speech
                    assert not paused
                    paused = True
                case Endpoint.RESUMED:
                    assert paused
                    paused = False
                case Endpoint.ENDED | Endpoint.DISCARDED:
                    assert in_speech
                    in_speech = paused = False
