"""The engines that must all behave the same, each service as a local server in its own format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from tests.standins.speech_deepgram import DeepgramStandIn
from tests.standins.speech_elevenlabs import ElevenLabsStandIn
from tests.standins.speech_http import KEY, Hear, Say, StandIn, serving
from tests.standins.speech_openai import OpenAIStandIn
from voice.audio import BROWSER, AudioFormat
from workers.ports import Synthesizer, Transcriber
from workers.speech import http
from workers.speech.deepgram import DeepgramOptions, DeepgramSynthesizer, DeepgramTranscriber
from workers.speech.elevenlabs import ElevenLabsOptions, ElevenLabsSynthesizer
from workers.speech.openai import OpenAIOptions, OpenAITranscriber
from workers.speech.openai_voice import OpenAISynthesizer
from workers.speech.options import PicoOptions, WhisperOptions
from workers.speech.pico import RATE_HZ, PicoSynthesizer
from workers.speech.sound import to_bytes, to_samples
from workers.speech.whisper import WhisperTranscriber

MakeTranscriber = Callable[[str], Transcriber]
MakeSynthesizer = Callable[[str], Synthesizer]

SERVICES: dict[str, type[StandIn]] = {
    "openai": OpenAIStandIn,
    "openai-whisper": OpenAIStandIn,
    "deepgram": DeepgramStandIn,
    "elevenlabs": ElevenLabsStandIn,
}
# From the address of the stand-in, empty for what needs none.
TRANSCRIBERS: dict[str, MakeTranscriber] = {
    "openai": lambda url: OpenAITranscriber(OpenAIOptions(f"{url}/v1", KEY)),
    "openai-whisper": lambda url: OpenAITranscriber(
        OpenAIOptions(f"{url}/v1", KEY, transcribe_model="whisper-1")
    ),
    "deepgram": lambda url: DeepgramTranscriber(DeepgramOptions(url, KEY)),
}
SYNTHESIZERS: dict[str, MakeSynthesizer] = {
    "openai": lambda url: OpenAISynthesizer(OpenAIOptions(f"{url}/v1", KEY)),
    "deepgram": lambda url: DeepgramSynthesizer(DeepgramOptions(url, KEY)),
    "elevenlabs": lambda url: ElevenLabsSynthesizer(ElevenLabsOptions(url, KEY)),
    "pico": lambda _: PicoSynthesizer(PicoOptions()),
}


@pytest.fixture(scope="session")
def ears(tmp_path_factory: pytest.TempPathFactory) -> WhisperTranscriber:
    """The local recogniser; also what the services hear with."""
    made = WhisperTranscriber(WhisperOptions(cache_dir=tmp_path_factory.mktemp("ears")))
    made.warm_up()
    return made


@pytest.fixture(scope="session")
def hear(ears: WhisperTranscriber) -> Hear:
    """What is heard once is not computed again."""
    return cache(lambda audio, audio_format: ears.transcribe(audio, audio_format).text)


@pytest.fixture(scope="session")
def say() -> Say:
    """Speech by the local voice at any rate."""
    voice = PicoSynthesizer(PicoOptions())

    @cache
    def said(text: str, audio_format: AudioFormat) -> bytes:
        spoken = b"".join(voice.synthesize(text, BROWSER))
        return to_bytes(to_samples(spoken, BROWSER, RATE_HZ), RATE_HZ, audio_format)

    return said


@pytest.fixture
def service(name: str, hear: Hear, say: Say) -> Iterator[StandIn | None]:
    """The running stand-in of the engine under test; None for a local one."""
    kind = SERVICES.get(name)
    if kind is None:
        yield None
        return
    with serving(kind(hear, say)) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def no_open_connections() -> Iterator[None]:
    yield
    http.close()


@pytest.fixture
def transcriber(name: str, service: StandIn | None, request: pytest.FixtureRequest) -> Transcriber:
    if service is None:
        local: Transcriber = request.getfixturevalue("ears")
        return local
    return TRANSCRIBERS[name](service.url)


@pytest.fixture
def synthesizer(name: str, service: StandIn | None) -> Synthesizer:
    return SYNTHESIZERS[name](service.url if service else "")


@contextmanager
def haste() -> Iterator[None]:
    """Engines made within wait for a service only as long as a test can."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEECH_TIMEOUT_SECONDS", "0.5")
        yield
