"""The Media Streams wire: messages become controls, and what breaks the protocol nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.media_stream import (
    AUDIO_BYTES,
    LATE_IN_A_ROW,
    MESSAGE_CHARACTERS,
    NotTheProtocol,
    TwilioWire,
    read_start,
)
from voice.audio import PHONE
from voice.controls import Audio, Control, Key, Played, Stop

SID = "MZ" + 32 * "0"
TURN = "9f0c3f9e-0c5a-4c5e-8d43-9a4f8f3f2b11"
FRAME = bytes(range(160))


def media(number: int, at_ms: int | None = None, audio: bytes = FRAME, **other: Any) -> str:
    fields = {
        "track": "inbound",
        "chunk": str(number),
        "timestamp": str(20 * number if at_ms is None else at_ms),
        "payload": base64.b64encode(audio).decode(),
        **other,
    }
    return json.dumps({"event": "media", "sequenceNumber": "9", "media": fields, "streamSid": SID})


def event(kind: str, **body: Any) -> str:
    return json.dumps({"event": kind, "sequenceNumber": "9", "streamSid": SID, **body})


def start(**other: Any) -> dict[str, Any]:
    return {
        "streamSid": SID,
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "t"},
        **other,
    }


@pytest.fixture
def wire() -> TwilioWire:
    return TwilioWire(SID)


def heard(control: Control | None) -> bytes:
    assert isinstance(control, Audio)
    return control.data


# In ---------------------------------------------------------------------------------------------
def test_the_start_says_which_stream_of_which_call_it_is_and_shows_its_token() -> None:
    said = read_start(event("start", start=start()))
    assert said is not None
    assert (said.stream_sid, said.call_sid, said.token) == (SID, "CA1", "t")


def test_a_start_without_a_token_is_a_start_with_none() -> None:
    said = read_start(event("start", start=start(customParameters={})))
    assert said is not None
    assert said.token == ""


@pytest.mark.parametrize("message", [event("connected"), "nonsense", b"\x00", "[]", '{"event":1}'])
def test_what_is_no_start_is_waited_past(message: str | bytes) -> None:
    assert read_start(message) is None


def test_a_stream_of_another_format_is_told_apart() -> None:
    wide = {"encoding": "audio/x-l16", "sampleRate": 16000, "channels": 1}
    with pytest.raises(NotTheProtocol):
        read_start(event("start", start=start(mediaFormat=wide)))


def test_audio_comes_through_byte_by_byte(wire: TwilioWire) -> None:
    assert wire.format is PHONE
    assert [heard(wire.decode(media(n))) for n in (1, 2, 3)] == [FRAME] * 3
    assert not wire.ignored


@pytest.mark.parametrize("size", [1, 80, 160, 320, AUDIO_BYTES])
def test_audio_of_any_size_up_to_200_ms_is_taken(wire: TwilioWire, size: int) -> None:
    assert heard(wire.decode(media(1, audio=bytes(size)))) == bytes(size)


@pytest.mark.parametrize("size", [0, AUDIO_BYTES + 1])
def test_audio_of_no_size_or_too_much_is_ignored(wire: TwilioWire, size: int) -> None:
    assert wire.decode(media(1, audio=bytes(size))) is None
    assert wire.ignored == {"audio size": 1}


def test_keys_and_the_end_come_through(wire: TwilioWire) -> None:
    keys = [wire.decode(event("dtmf", dtmf={"digit": digit})) for digit in "0#A"]
    assert keys == [Key("0"), Key("#"), Key("A")]
    assert wire.decode(event("stop", stop={"callSid": "CA1"})) == Stop()
    assert wire.decode(event("dtmf", dtmf={"digit": "12"})) is None
    assert wire.ignored == {"unknown key": 1}


def test_late_and_repeated_audio_is_dropped_and_counted(wire: TwilioWire) -> None:
    assert heard(wire.decode(media(5)))
    assert heard(wire.decode(media(4))) == b""
    assert heard(wire.decode(media(5))) == b""
    assert heard(wire.decode(media(6))) == FRAME
    assert wire.ignored == {"late media": 2}


def test_a_numbering_that_begins_anew_does_not_make_the_call_deaf(wire: TwilioWire) -> None:
    assert heard(wire.decode(media(10**9)))
    taken = [heard(wire.decode(media(n))) for n in range(1, LATE_IN_A_ROW + 10)]
    assert taken[-9:] == [FRAME] * 9
    assert wire.ignored["late media"] == LATE_IN_A_ROW


def test_audio_of_another_track_is_not_heard(wire: TwilioWire) -> None:
    assert heard(wire.decode(media(1, track="outbound"))) == b""
    assert heard(wire.decode(media(1))) == FRAME


@pytest.mark.parametrize("missing_ms", [20, 300, 1000])
def test_lost_packets_become_as_much_silence(wire: TwilioWire, missing_ms: int) -> None:
    wire.decode(media(1, 20))
    got = heard(wire.decode(media(2, 40 + missing_ms)))
    assert got == b"\xff" * PHONE.bytes_of(missing_ms) + FRAME


@pytest.mark.parametrize("missing_ms", [1001, 3_600_000, -20])
def test_a_longer_gap_and_a_clock_that_goes_back_are_not_filled(
    wire: TwilioWire, missing_ms: int
) -> None:
    wire.decode(media(1, 2000))
    assert heard(wire.decode(media(2, 2020 + missing_ms))) == FRAME


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (b"\x00\x01", "binary"),
        ("", "malformed"),
        ("[1]", "malformed"),
        ("null", "malformed"),
        ("[" * 4000, "malformed"),
        ("x" * (MESSAGE_CHARACTERS + 1), "too long"),
        (event("start", start={}), "second start"),
        (event("surprise"), "unknown event"),
        (json.dumps({"media": {}}), "malformed"),
        (event("media"), "malformed"),
        (event("media", media={"track": "inbound"}), "malformed"),
        (media(1, payload="not base64!"), "malformed"),
        (media(1, chunk="one"), "malformed"),
        (media(1, timestamp=None), "malformed"),
        (media(1).replace('"timestamp": "20"', '"timestamp": Infinity'), "malformed"),
        (event("mark"), "malformed"),
        (event("mark", mark={"name": "somebody else's"}), "malformed"),
        (event("dtmf", dtmf={}), "malformed"),
        (media(1).replace(SID, "MZother"), "other stream"),
    ],
)
def test_what_breaks_the_protocol_is_counted_and_changes_nothing(
    wire: TwilioWire, message: str | bytes, kind: str
) -> None:
    assert wire.decode(message) is None
    assert wire.ignored == {kind: 1}
    assert heard(wire.decode(media(1))) == FRAME


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)
EVENTS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "other"])


@given(EVENTS, JSON, st.dictionaries(st.sampled_from(["name", "digit", "chunk", "track"]), JSON))
def test_no_message_whatever_makes_it_raise(kind: str, body: Any, fields: dict[str, Any]) -> None:
    wire = TwilioWire(SID)
    for value in (body, fields):
        wire.decode(json.dumps({"event": kind, kind: value, "streamSid": SID}))
    wire.decode(json.dumps(body))
    read_start(json.dumps({"event": "start", "start": body}))


# Out --------------------------------------------------------------------------------------------
def sent(wire: TwilioWire, at_ms: int = 0, audio: bytes = 800 * b"\x7f") -> tuple[dict, dict]:  # type: ignore[type-arg]
    first, second = wire.audio(TURN, 3, at_ms, audio)
    return json.loads(first), json.loads(second)


def returned(mark: dict[str, Any]) -> str:
    return event("mark", mark=mark["mark"])


def test_a_reply_leaves_as_media_with_a_mark_behind_it(wire: TwilioWire) -> None:
    first, second = sent(wire, at_ms=200)
    payload = base64.b64encode(800 * b"\x7f").decode()
    assert first == {"event": "media", "streamSid": SID, "media": {"payload": payload}}
    assert (second["event"], second["streamSid"]) == ("mark", SID)
    assert wire.decode(returned(second)) == Played(TURN, 300)


def test_marks_that_come_back_because_they_were_cleared_are_not_heard(wire: TwilioWire) -> None:
    marks = [sent(wire, at_ms)[1] for at_ms in (0, 100, 200)]
    assert wire.decode(returned(marks[0])) == Played(TURN, 100)
    clear = wire.message({"type": "clear", "turn": TURN, "number": 3})
    assert json.loads(str(clear)) == {"event": "clear", "streamSid": SID}
    assert [wire.decode(returned(mark)) for mark in marks[1:]] == [None, None]
    after = sent(wire, 0)[1]
    assert wire.decode(returned(after)) == Played(TURN, 100)
    assert not wire.ignored


@pytest.mark.parametrize("kind", ["ready", "state", "notice", "sentence", "bye", "transcript"])
def test_what_is_for_a_screen_is_not_sent(wire: TwilioWire, kind: str) -> None:
    assert wire.message({"type": kind, "text": "anything"}) is None
