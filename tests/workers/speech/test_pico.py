import threading
from typing import Any

import numpy as np
import psutil
import pytest

from tests.workers.speech.speaking import resampled_with, say
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.speech.options import PicoOptions
from workers.speech.pico import PicoSynthesizer, options_from_environment

TEXT = "You have three todos today."


@pytest.fixture(scope="module")
def synthesizer() -> PicoSynthesizer:
    made = PicoSynthesizer(PicoOptions())
    made.warm_up()
    return made


@pytest.mark.parametrize("audio_format", [BROWSER, PHONE], ids=str)
def test_a_sentence_lasts_as_long_as_a_person_takes(
    synthesizer: PicoSynthesizer, audio_format: AudioFormat
) -> None:
    audio = say(synthesizer, TEXT, audio_format)
    assert 1200 < audio_format.ms_of(len(audio)) < 3000


def test_it_is_loud_enough_and_never_clips(synthesizer: PicoSynthesizer) -> None:
    for voice in ("en-GB", "en-US"):
        audio = say(PicoSynthesizer(PicoOptions(voice=voice)), f"{TEXT} Wow! Really? Yes!")
        pcm = np.frombuffer(audio, "<i2") / 32768
        assert 0.05 < np.sqrt(np.mean(pcm**2)) < 0.12
        assert 0.2 < np.abs(pcm).max() < 0.9


def test_the_first_sentence_comes_before_the_others_are_made(synthesizer: PicoSynthesizer) -> None:
    parts = synthesizer.synthesize("Done. I moved it. Anything else?", BROWSER)
    first = next(parts)
    assert len(first) < len(b"".join(parts))


@pytest.mark.parametrize("text", ["", "👍", "...", "日本語"])
def test_what_cannot_be_said_is_no_audio(synthesizer: PicoSynthesizer, text: str) -> None:
    assert say(synthesizer, text) == b""


def test_tags_are_words_and_not_commands(synthesizer: PicoSynthesizer) -> None:
    plain = len(say(synthesizer, TEXT))
    tagged = len(say(synthesizer, f'<speed level="500">{TEXT}</speed>'))
    assert tagged > plain


def test_an_unknown_format_is_refused_before_anything_is_said(synthesizer: PicoSynthesizer) -> None:
    with pytest.raises(SpeechError, match="not known"):
        synthesizer.synthesize(TEXT, AudioFormat("mp3", 16_000))  # type: ignore[arg-type]


def test_an_engine_that_fails_is_a_speech_error() -> None:
    with pytest.raises(SpeechError, match="could not say"):
        say(PicoSynthesizer(PicoOptions(voice="xx-XX")), TEXT)


def test_threads_speak_without_mixing(synthesizer: PicoSynthesizer) -> None:
    texts = [TEXT, "Goodbye.", "Which one do you mean, the first or the second?"] * 2
    expected = {text: len(say(synthesizer, text)) for text in texts}
    spoken: list[tuple[str, int]] = []

    def speak(text: str) -> None:
        spoken.append((text, len(say(synthesizer, text))))

    threads = [threading.Thread(target=speak, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(spoken) == len(texts)
    # Pico's pauses differ by 0.1 s and more from memory to memory; these texts by 0.9 s at least.
    nearest = [min(expected, key=lambda text: abs(size - expected[text])) for _, size in spoken]
    assert nearest == [text for text, _ in spoken]


def test_speaking_leaves_no_memory_behind(synthesizer: PicoSynthesizer) -> None:
    process = psutil.Process()
    for _ in range(5):
        say(synthesizer, TEXT)
    before = process.memory_info().rss
    for _ in range(60):
        say(synthesizer, TEXT)
    # One voice is 1.4 MB and its workspace 2.5 MB: 60 of either would show.
    assert process.memory_info().rss - before < 20 * 2**20


def test_a_host_may_choose_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICO_VOICE", "en-GB")
    assert options_from_environment().voice == "en-GB"


@pytest.mark.parametrize(("chosen", "recipe"), [("low", "LQ"), ("best", "VHQ")])
def test_a_host_may_choose_how_well_it_is_resampled(
    settings: Any, monkeypatch: pytest.MonkeyPatch, chosen: str, recipe: str
) -> None:
    settings.RESAMPLE_QUALITY = chosen
    recipes = resampled_with(monkeypatch)
    assert say(PicoSynthesizer(), TEXT, PHONE)
    assert recipes == [recipe]
