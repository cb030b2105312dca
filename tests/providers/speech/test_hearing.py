"""What every recogniser must do, whether it runs here or is a service."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from tests.providers.speech.conftest import TRANSCRIBERS, haste
from tests.standins.speech_http import StandIn
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.ports import Transcriber
from workers.speech.deepgram import DeepgramOptions, DeepgramTranscriber
from workers.speech.failures import ServiceError
from workers.speech.openai import OpenAIOptions, OpenAITranscriber
from workers.speech.sound import to_bytes, to_samples

pytestmark = pytest.mark.service
RECORDING = Path(__file__).parents[2] / "audio" / "01-woman.wav"
WORDS = "what is on my list today"
EVERY = pytest.mark.parametrize("name", ["local", "openai", "openai-whisper", "deepgram"])
REMOTE = pytest.mark.parametrize("name", ["openai", "openai-whisper", "deepgram"])
CODES = {
    "401": "speech_auth",
    "429": "speech_rate",
    "500": "speech_server",
    "timeout": "speech_timeout",
    "half": "speech_half",
    "garbage": "speech_garbage",
}


def recorded() -> bytes:
    """In the browser's format."""
    with wave.open(str(RECORDING)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return bytes(file.readframes(file.getnframes()))


@pytest.fixture(scope="module")
def recording() -> bytes:
    return recorded()


def plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")


@EVERY
def test_words_are_heard(transcriber: Transcriber, recording: bytes) -> None:
    assert plain(transcriber.transcribe(recording, BROWSER).text) == WORDS


@EVERY
def test_a_telephone_is_understood_in_its_own_encoding(
    transcriber: Transcriber, recording: bytes
) -> None:
    phone = to_bytes(to_samples(recording, BROWSER, 8_000), 8_000, PHONE)
    assert "my list today" in plain(transcriber.transcribe(phone, PHONE).text)


@EVERY
@pytest.mark.parametrize("ms", [0, 40, 1_500])
def test_no_words_are_no_error(transcriber: Transcriber, ms: int) -> None:
    assert transcriber.transcribe(bytes(BROWSER.bytes_of(ms)), BROWSER).text == ""


@EVERY
def test_half_a_sample_at_the_end_does_no_harm(transcriber: Transcriber, recording: bytes) -> None:
    assert plain(transcriber.transcribe(recording + b"\x00", BROWSER).text) == WORDS


@EVERY
def test_an_unknown_format_is_refused(transcriber: Transcriber, recording: bytes) -> None:
    with pytest.raises(SpeechError) as raised:
        transcriber.transcribe(recording, AudioFormat("mp3", 16_000))  # type: ignore[arg-type]
    assert raised.value.code == "speech_format"


@REMOTE
@pytest.mark.parametrize("fails", CODES)
def test_a_failure_has_a_name_and_the_next_utterance_is_heard(
    name: str, transcriber: Transcriber, service: StandIn, recording: bytes, fails: str
) -> None:
    service.fails, failing = fails, transcriber
    if fails == "timeout":
        with haste():
            failing = TRANSCRIBERS[name](service.url)
    with pytest.raises(ServiceError) as raised:
        failing.transcribe(recording, BROWSER)
    assert raised.value.code == CODES[fails]
    assert raised.value.retry_after == (7.0 if fails == "429" else 0.0)
    # No second try on our own: the chain decides.
    assert len(service.asked) == 1
    service.fails = ""
    assert plain(transcriber.transcribe(recording, BROWSER).text) == WORDS


@REMOTE
def test_a_service_that_is_not_there_is_told_apart(name: str, recording: bytes) -> None:
    nowhere = "http://127.0.0.1:9"
    engine: Transcriber = (
        DeepgramTranscriber(DeepgramOptions(nowhere))
        if name == "deepgram"
        else OpenAITranscriber(OpenAIOptions(nowhere))
    )
    with pytest.raises(ServiceError) as raised:
        engine.transcribe(recording, BROWSER)
    assert raised.value.code == "speech_unreached"


@REMOTE
def test_one_connection_serves_many_utterances(
    transcriber: Transcriber, service: StandIn, recording: bytes
) -> None:
    for _ in range(3):
        transcriber.transcribe(recording, BROWSER)
    assert (len(service.asked), service.connections) == (3, 1)


@REMOTE
def test_a_connection_that_died_meanwhile_costs_no_utterance(
    transcriber: Transcriber, service: StandIn, recording: bytes
) -> None:
    service.drops = True
    for _ in range(3):
        assert plain(transcriber.transcribe(recording, BROWSER).text) == WORDS


@pytest.mark.parametrize(
    ("name", "language"), [("openai", ""), ("openai-whisper", "de"), ("deepgram", "de")]
)
def test_the_callers_language_is_told_where_the_service_tells_it(
    transcriber: Transcriber, service: StandIn, recording: bytes, language: str
) -> None:
    service.language = "de"
    assert transcriber.transcribe(recording, BROWSER).language == language


@pytest.mark.parametrize("name", ["deepgram"])
def test_several_languages_in_one_sentence_may_be_asked_for(
    service: StandIn, recording: bytes
) -> None:
    engine = DeepgramTranscriber(
        DeepgramOptions(service.url, service.key_header[1].split()[1], language="multi")
    )
    service.language = "es"
    assert engine.transcribe(recording, BROWSER).language == "es"
    assert "detect_language" not in service.asked[0].query


@pytest.mark.parametrize("name", ["openai-whisper"])
def test_what_the_service_itself_takes_for_no_speech_is_no_words(
    transcriber: Transcriber, service: StandIn
) -> None:
    assert transcriber.transcribe(bytes(BROWSER.bytes_of(2_000)), BROWSER).text == ""
    assert len(service.asked) == 1


@REMOTE
def test_no_key_is_in_what_may_be_logged(
    transcriber: Transcriber, service: StandIn, recording: bytes
) -> None:
    service.fails = "401"
    with pytest.raises(ServiceError) as raised:
        transcriber.transcribe(recording, BROWSER)
    secret = service.key_header[1].split()[-1]
    assert secret not in f"{raised.value!r}{raised.value}{transcriber.__dict__!r}"
