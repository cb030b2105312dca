"""The short way to a caller's audio hears what the long one does, and leaves it all else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone.media_stream import LATE_IN_A_ROW, MESSAGE_CHARACTERS, TwilioWire
from voice.controls import Audio

SID = "MZ" + 32 * "0"


def media(chunk: Any = "1", at_ms: Any = "0", payload: str = "AAAA", **other: Any) -> str:
    """As Twilio words it."""
    fields = {"track": "inbound", "chunk": chunk, "timestamp": at_ms, "payload": payload}
    said = {"event": "media", "sequenceNumber": "9", "media": fields, "streamSid": SID, **other}
    return json.dumps(said, separators=(",", ":"))


def by_the_long_way(wire: TwilioWire, message: str | bytes) -> bytes | None:
    control = wire.decode(message)
    return control.data if isinstance(control, Audio) else None


def by_the_short_way(wire: TwilioWire, message: str | bytes) -> bytes | None:
    audio = wire.hear(message)
    return audio if audio is not None else by_the_long_way(wire, message)


def b64(audio: bytes) -> str:
    return base64.b64encode(audio).decode()


NUMBERS = st.integers(-3, 3000).map(str) | st.sampled_from(["", "x", "٣", "1" * 40, "1.5"])
PAYLOADS = st.one_of(
    st.binary(max_size=1700).map(b64),
    st.sampled_from(["", "A", "AA=", "AA==", "A\nAA", "AA\\/A", '"', '"},"streamSid":"x', "ÄÄÄÄ"]),
)
WORDED = st.builds(media, NUMBERS, NUMBERS, PAYLOADS)
CUT = st.tuples(WORDED, st.integers(0, 500), st.text(max_size=3)).map(
    lambda made: made[0][: made[1]] + made[2] + made[0][made[1] + 1 :]
)
SPACED = WORDED.map(lambda message: message.replace(":", ": ").replace(",", ", "))
ODD = st.sampled_from(
    [
        media(streamSid="MZother"),
        media(more={"a": 1}),
        media().replace("inbound", "outbound"),
        media().replace("media", "\\u006dedia", 1),
        media() + " ",
        media()[:-1] + ',"streamSid":"MZother"}',
        media(payload="AAAA" * MESSAGE_CHARACTERS),
        '{"event":"stop"}',
    ]
)


@given(messages=st.lists(WORDED | CUT | SPACED | ODD | st.binary(max_size=9), max_size=30))
def test_both_ways_hear_the_same_and_count_the_same(messages: list[str | bytes]) -> None:
    short, long = TwilioWire(SID), TwilioWire(SID)
    for message in messages:
        assert by_the_short_way(short, message) == by_the_long_way(long, message)
        assert short.ignored == long.ignored


def test_twilios_own_wording_takes_the_short_way() -> None:
    wire = TwilioWire(SID)
    for number in range(1, 100):
        audio = bytes([number]) * 160
        assert wire.hear(media(str(number), str(20 * number), b64(audio))) == audio


def test_late_audio_is_nothing_to_be_heard_and_no_other_message() -> None:
    wire = TwilioWire(SID)
    assert wire.hear(media("5")) == b"\0\0\0"
    for _ in range(LATE_IN_A_ROW):
        assert wire.hear(media("5")) == b""
    assert wire.hear(media("5")) == b"\0\0\0"
    assert wire.ignored == {"late media": LATE_IN_A_ROW}


@pytest.mark.parametrize("message", [b"AAAA", '{"event":"stop"}', media(payload="?"), "", "{"])
def test_what_is_worded_otherwise_is_left_for_the_long_way(message: str | bytes) -> None:
    wire = TwilioWire(SID)
    assert wire.hear(message) is None
    assert not wire.ignored
