"""The parts of the simulated telephone that need no call: ear, messages, TwiML, signature."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from convonet.far_end import twiml, wire
from convonet.far_end.ear import Ear
from convonet.far_end.webhooks import Route, signature

SECOND = bytes(8000)


# --- Ear ---
def test_a_mark_returns_when_the_audio_before_it_was_heard() -> None:
    ear = Ear()
    ear.media(SECOND, 10.0)
    ear.mark("one", 10.0)
    ear.media(SECOND, 10.2)
    ear.mark("two", 10.2)
    assert ear.reached(10.999) == []
    assert (ear.next_mark, ear.reached(11.0)) == (11.0, ["one"])
    assert ear.reached(12.0) == ["two"]


def test_a_mark_with_nothing_before_it_returns_at_once() -> None:
    ear = Ear()
    ear.mark("now", 5.0)
    assert ear.reached(5.0) == ["now"]


def test_a_clear_silences_at_once_and_returns_every_mark() -> None:
    ear = Ear()
    ear.media(b"a" * 8000 + b"b" * 8000, 10.0)
    ear.mark("one", 10.0)
    ear.media(SECOND, 10.0)
    ear.mark("two", 10.0)
    assert ear.clear(11.5) == ["one", "two"]
    assert ear.spans[0].audio == b"a" * 8000 + b"b" * 4000
    assert ear.cleared_ms == 1500
    assert ear.reached(60.0) == []


def test_what_is_heard_has_its_time_and_gaps_are_no_sound() -> None:
    ear = Ear()
    ear.media(SECOND, 10.0)
    ear.media(SECOND, 14.0)
    assert [(span.at, span.until) for span in ear.spans] == [(10.0, 11.0), (14.0, 15.0)]
    assert ear.first_sound_after(10.5) == 10.5
    assert ear.first_sound_after(12.0) == 14.0
    assert ear.first_sound_after(15.0) is None
    assert (ear.silent_for(14.5), ear.silent_for(17.0)) == (0.0, 2.0)


@given(st.lists(st.tuples(st.integers(1, 4000), st.floats(0, 2)), max_size=40))
def test_every_mark_returns_once_and_in_order(pieces: list[tuple[int, float]]) -> None:
    ear, now, returned = Ear(), 0.0, []
    for number, (size, pause) in enumerate(pieces):
        ear.media(bytes(size), now)
        ear.mark(str(number), now)
        now += pause
        returned += ear.reached(now)
    returned += ear.reached(now + 60)
    assert returned == [str(number) for number in range(len(pieces))]
    assert sum(len(span.audio) for span in ear.spans) == sum(size for size, _ in pieces)


# --- Messages ---
def test_messages_are_numbered_as_twilio_numbers_them() -> None:
    script = wire.Script("MZ1", "CA1", "AC1")
    start = json.loads(script.start({"token": "t"}))
    first, key = json.loads(script.media(b"\xff", 0)), json.loads(script.dtmf("5"))
    second = json.loads(script.media(bytes(160), 20))
    assert start["start"]["mediaFormat"] == wire.MEDIA_FORMAT
    assert (start["sequenceNumber"], start["start"]["customParameters"]) == ("1", {"token": "t"})
    assert (first["media"]["chunk"], second["media"]["chunk"]) == ("1", "2")
    assert (second["sequenceNumber"], second["media"]["timestamp"]) == ("4", "20")
    assert key["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert base64.b64decode(second["media"]["payload"]) == bytes(160)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"\x00", "binary"),
        ("{", "JSON"),
        ("[]", "object"),
        ('{"event": "media", "media": {"payload": "AAAA"}}', "streamSid"),
        ('{"event": "media", "streamSid": "MZ1", "media": {"payload": "A"}}', "base64"),
        ('{"event": "media", "streamSid": "MZ1", "media": {"payload": ""}}', "empty"),
        ('{"event": "media", "streamSid": "MZ1"}', "media object"),
        ('{"event": "mark", "streamSid": "MZ1", "mark": {}}', "name"),
        ('{"event": "hello", "streamSid": "MZ1"}', "event"),
    ],
)
def test_a_server_is_held_to_the_protocol(message: str | bytes, why: str) -> None:
    with pytest.raises(wire.NotTheProtocol, match=why):
        wire.read(message, "MZ1")


# --- TwiML ---
def test_a_document_of_ours_has_no_faults() -> None:
    document = twiml.read(
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect>'
        '<Stream url="wss://voice.example.com/twilio/media"><Parameter name="token" value="t"/>'
        '</Stream></Connect><Redirect method="POST">https://voice.example.com/n</Redirect>'
        '<Dial action="/d" timeout="20" callerId="+15550001111"><Number url="/w">+15550002222'
        "</Number></Dial></Response>"
    )
    assert not document.faults
    assert [verb.name for verb in document.verbs] == ["Connect", "Redirect", "Dial"]


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ('<Connect><Stream url="ws://example.com/m"/></Connect>', "not wss"),
        ('<Connect><Stream url="wss://example.com/m?token=1"/></Connect>', "query"),
        ('<Gather speech_hints="a"/>', "no attribute 'speech_hints'"),
        ("<Dial><Number>0171 1234</Number></Dial>", "not E.164"),
        ("<Dial/>", "nobody"),
        ("<Stream/>", "does not belong into <Response>"),
        ("<Say></Say>", "0 characters"),
        ("<Redirect/>", "names no URL"),
    ],
)
def test_what_twilio_warns_of_is_told(inside: str, fault: str) -> None:
    assert any(fault in told for told in twiml.read(f"<Response>{inside}</Response>").faults)


@pytest.mark.parametrize("text", ["", "<Response>", "<html></html>", '{"error": "no"}'])
def test_what_is_no_twiml_breaks_a_call(text: str) -> None:
    with pytest.raises(twiml.Broken):
        twiml.read(text)


# --- Webhooks ---
def test_the_signature_is_the_one_that_twilios_validator_expects() -> None:
    validator = RequestValidator("token")
    url, form = (
        "https://voice.example.com/twilio/voice?x=1",
        {"From": "+1555", "City": "", "A": "ü"},
    )
    assert validator.validate(url, form, signature("token", url, form))
    socket = "wss://voice.example.com/twilio/media"
    assert validator.validate(socket, {}, signature("token", socket, {}))
    assert not validator.validate(url, {**form, "A": "u"}, signature("token", url, form))


def test_a_public_address_is_reached_behind_its_proxy() -> None:
    route = Route("https://voice.example.com", "http://127.0.0.1:8123")
    url, headers = route.of("wss://voice.example.com/twilio/media")
    assert url == "ws://127.0.0.1:8123/twilio/media"
    assert (headers["Host"], headers["X-Forwarded-Proto"]) == ("voice.example.com", "https")
    assert route.of("https://elsewhere.example.com/x") == ("https://elsewhere.example.com/x", {})
