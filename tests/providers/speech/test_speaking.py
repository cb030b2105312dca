"""What every voice must do, whether it is made here or by a service."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from py_nanotts import NanoTTS

from tests.providers.speech.conftest import SYNTHESIZERS, haste
from tests.providers.speech.test_hearing import CODES, plain
from tests.standins.speech_http import KEY, Hear, StandIn
from tests.workers.speech.speaking import resampled_with, say
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.ports import Manner, Synthesizer
from workers.speech.deepgram import DeepgramOptions, DeepgramSynthesizer
from workers.speech.elevenlabs import ElevenLabsOptions, ElevenLabsSynthesizer
from workers.speech.failures import ServiceError
from workers.speech.openai import OpenAIOptions
from workers.speech.openai_voice import OpenAISynthesizer
from workers.speech.options import PicoOptions
from workers.speech.pico import PicoSynthesizer

pytestmark = pytest.mark.service
TEXT = "You have three todos today."
LONG = f"{TEXT} {TEXT} {TEXT}"
EVERY = pytest.mark.parametrize("name", ["pico", "openai", "deepgram", "elevenlabs"])
REMOTE = pytest.mark.parametrize("name", ["openai", "deepgram", "elevenlabs"])


@EVERY
@pytest.mark.parametrize("audio_format", [BROWSER, PHONE], ids=str)
def test_a_sentence_can_be_understood(
    synthesizer: Synthesizer, hear: Hear, audio_format: AudioFormat
) -> None:
    audio = say(synthesizer, TEXT, audio_format)
    assert 1_200 < audio_format.ms_of(len(audio)) < 3_000
    assert "todos today" in plain(hear(audio, audio_format)).replace("to dos", "todos")


@EVERY
def test_audio_comes_in_whole_samples(synthesizer: Synthesizer) -> None:
    chunks = list(synthesizer.synthesize(LONG, BROWSER))
    assert len(chunks) > 1
    assert all(chunk and len(chunk) % 2 == 0 for chunk in chunks)


@EVERY
@pytest.mark.parametrize("text", ["", "…", "👍"])
def test_what_cannot_be_said_is_no_audio_and_asks_nobody(
    synthesizer: Synthesizer, service: StandIn | None, text: str
) -> None:
    assert say(synthesizer, text) == b""
    assert service is None or service.asked == []


@EVERY
def test_an_unknown_format_is_refused_before_anything_is_said(synthesizer: Synthesizer) -> None:
    with pytest.raises(SpeechError) as raised:
        synthesizer.synthesize(TEXT, AudioFormat("mp3", 16_000))  # type: ignore[arg-type]
    assert raised.value.code == "speech_format"


@EVERY
def test_a_wish_that_cannot_be_met_is_spoken_all_the_same(synthesizer: Synthesizer) -> None:
    """A language that no voice here speaks."""
    assert say_in(synthesizer, Manner("cy"))


@REMOTE
@pytest.mark.parametrize("fails", CODES)
def test_a_failure_has_a_name_and_the_next_sentence_is_said(
    name: str, synthesizer: Synthesizer, service: StandIn, fails: str
) -> None:
    service.fails, failing = fails, synthesizer
    if fails == "timeout":
        with haste():
            failing = SYNTHESIZERS[name](service.url)
    heard: list[bytes] = []
    with pytest.raises(ServiceError) as raised:
        heard.extend(failing.synthesize(LONG, BROWSER))
    assert raised.value.code == CODES[fails]
    # Of half an answer the half is passed on as it comes; of others nothing.
    assert bool(heard) == (fails == "half")
    assert len(service.asked) == 1
    service.fails = ""
    assert BROWSER.ms_of(len(say(synthesizer, TEXT))) > 1_200


@REMOTE
def test_a_service_that_is_not_there_is_told_apart(name: str) -> None:
    nowhere = "http://127.0.0.1:9"
    engines: dict[str, Synthesizer] = {
        "openai": OpenAISynthesizer(OpenAIOptions(nowhere)),
        "deepgram": DeepgramSynthesizer(DeepgramOptions(nowhere)),
        "elevenlabs": ElevenLabsSynthesizer(ElevenLabsOptions(nowhere)),
    }
    with pytest.raises(ServiceError) as raised:
        say(engines[name], TEXT)
    assert raised.value.code == "speech_unreached"


@REMOTE
def test_the_first_audio_does_not_wait_for_the_rest(
    synthesizer: Synthesizer, service: StandIn
) -> None:
    service.hold = threading.Event()
    chunks = synthesizer.synthesize(LONG, BROWSER)
    first = next(chunks)  # the service has sent no more than its first part
    assert not service.hold.is_set()
    service.hold.set()
    assert len(b"".join(chunks)) > len(first)


@REMOTE
def test_a_service_that_stalls_half_way_is_not_waited_for_for_ever(
    name: str, service: StandIn
) -> None:
    service.hold = threading.Event()
    with haste():
        chunks = SYNTHESIZERS[name](service.url).synthesize(LONG, BROWSER)
    assert next(chunks)
    with pytest.raises(ServiceError) as raised:
        next(chunks)
    assert raised.value.code == "speech_timeout"
    service.hold.set()


@REMOTE
def test_a_reply_that_is_not_wanted_any_more_is_not_waited_for(
    synthesizer: Synthesizer, service: StandIn
) -> None:
    service.hold = threading.Event()
    chunks = synthesizer.synthesize(LONG, BROWSER)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # a generator, as of every engine
    service.hold.set()
    service.hold = None
    assert say(synthesizer, TEXT)


@REMOTE
def test_one_connection_serves_many_sentences(synthesizer: Synthesizer, service: StandIn) -> None:
    for _ in range(3):
        say(synthesizer, TEXT)
    assert (len(service.asked), service.connections) == (3, 1)


@pytest.mark.parametrize("name", ["openai"])
def test_a_host_may_choose_how_well_it_is_resampled(
    service: StandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RESAMPLE_QUALITY = "best"
    recipes = resampled_with(monkeypatch)
    assert say(OpenAISynthesizer(OpenAIOptions(f"{service.url}/v1", KEY)), TEXT, PHONE)
    assert recipes[-1] == "VHQ"


@pytest.mark.parametrize("name", ["openai"])
def test_a_wished_voice_is_asked_for(synthesizer: Synthesizer, service: StandIn) -> None:
    say_in(synthesizer, Manner("de", "coral"))
    say(synthesizer, "anna@example.org **now**")
    asked = [(body["voice"], body["input"]) for body in (one.json for one in service.asked)]
    assert asked == [("coral", TEXT), ("alloy", "anna at example dot org now")]


@pytest.mark.parametrize("name", ["deepgram"])
def test_deepgrams_voice_follows_the_language(synthesizer: Synthesizer, service: StandIn) -> None:
    for manner in (Manner("en"), Manner("de"), Manner("en", "aura-2-zeus-en"), Manner("cy")):
        say_in(synthesizer, manner)
    assert [one.query["model"] for one in service.asked] == [
        "aura-2-thalia-en",
        "aura-2-elara-de",
        "aura-2-zeus-en",
        "aura-2-thalia-en",
    ]


@pytest.mark.parametrize("name", ["elevenlabs"])
def test_elevenlabs_is_told_the_language_where_the_model_knows_it(
    synthesizer: Synthesizer, service: StandIn
) -> None:
    say_in(synthesizer, Manner("de", "another-voice"))
    older = ElevenLabsOptions(service.url, service.key_header[1], "eleven_multilingual_v2")
    say_in(ElevenLabsSynthesizer(older), Manner("de"))
    first, second = service.asked
    assert first.path == "/v1/text-to-speech/another-voice/stream"
    assert (first.json["language_code"], "language_code" in second.json) == ("de", False)


def test_picos_voice_follows_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def speak(self: NanoTTS, text: str, voice: str, **_: float) -> bytes:
        asked.append(voice)
        return bytes(3200)

    monkeypatch.setattr(NanoTTS, "speak", speak)
    pico = PicoSynthesizer(PicoOptions())
    wishes = [Manner("de"), Manner("de", "en-GB"), Manner("en", "en-GB"), Manner("ja", "gone")]
    for manner in wishes:
        say_in(pico, manner)
    assert asked == ["de-DE", "de-DE", "en-GB", "en-US"]


@pytest.mark.parametrize("name", ["elevenlabs"])
def test_a_voice_that_no_longer_exists_is_refused_and_not_a_fault_of_the_service(
    synthesizer: Synthesizer,
) -> None:
    with pytest.raises(ServiceError) as raised:
        say_in(synthesizer, Manner("", "../gone"))
    assert raised.value.code == "speech_refused"


@REMOTE
def test_no_key_is_in_what_may_be_logged(synthesizer: Synthesizer, service: StandIn) -> None:
    service.fails = "401"
    with pytest.raises(ServiceError) as raised:
        say(synthesizer, TEXT)
    secret = service.key_header[1].split()[-1]
    assert secret not in f"{raised.value!r}{raised.value}{synthesizer.__dict__!r}"


def say_in(synthesizer: Synthesizer, manner: Manner) -> bytes:
    return b"".join(synthesizer.synthesize(TEXT, BROWSER, manner))
