"""With the real model: what it hears, and what it takes for no words."""

import multiprocessing
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.workers.speech.speaking import resampled_with, say
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.speech.options import PicoOptions, WhisperOptions
from workers.speech.pico import PicoSynthesizer
from workers.speech.whisper import FULL_WINDOW, WhisperTranscriber, options_from_environment

RATE_HZ = 16_000
Samples = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def transcriber(tmp_path_factory: pytest.TempPathFactory) -> WhisperTranscriber:
    made = WhisperTranscriber(WhisperOptions(cache_dir=tmp_path_factory.mktemp("speech")))
    made.warm_up()
    return made


def _say(text: str, audio_format: AudioFormat = BROWSER) -> bytes:
    return say(PicoSynthesizer(PicoOptions()), text, audio_format)


def _pcm(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _tones(*hertz: float, seconds: float = 1.0) -> Samples:
    times = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    mixed: Samples = np.sum(0.2 * np.sin(2 * np.pi * np.outer(hertz, times)), axis=0)
    return mixed


def _noise(level: float, seconds: float = 1.0, falling: float = 0.0) -> Samples:
    spectrum = np.fft.rfft(np.random.default_rng(7).normal(0, 1, int(RATE_HZ * seconds)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20.0) ** falling
    noise: Samples = np.fft.irfft(spectrum)
    return np.multiply(noise, level / float(noise.std()))


def _click() -> Samples:
    click = np.zeros(RATE_HZ)
    click[5000:5040] = 0.8
    return click


def _digits() -> Samples:
    keys = [(697, 1209), (770, 1336), (852, 1477), (941, 1336)]
    return np.concatenate(
        [np.concatenate([_tones(*key, seconds=0.12), np.zeros(1600)]) for key in keys]
    )


@pytest.mark.parametrize("audio_format", [BROWSER, PHONE], ids=str)
def test_a_sentence_is_heard(transcriber: WhisperTranscriber, audio_format: AudioFormat) -> None:
    audio = _say("Remind me in two hours to take the cake out of the oven.", audio_format)
    heard = transcriber.transcribe(audio, audio_format)
    assert "remind me in two hours" in heard.text.lower()
    assert "out of the oven" in heard.text.lower()
    assert -0.6 < heard.score < 0.0


SOUNDS = {
    "nothing": np.zeros(0),
    "instant": np.zeros(RATE_HZ // 3),
    "silence": np.zeros(RATE_HZ),
    "hiss": _noise(0.001),
    "white": _noise(0.1, 2.0),
    "pink": _noise(0.05, 2.0, falling=0.5),
    "brown": _noise(0.1, 2.0, falling=1.0),
    "hum": _tones(50, 100, 150, seconds=2.0),
    "tone": _tones(440),
    "ring": _tones(440, 480),
    "digits": _digits(),
    "click": _click(),
}


@pytest.mark.parametrize("sound", SOUNDS.values(), ids=SOUNDS.keys())
def test_what_is_no_speech_has_no_words(transcriber: WhisperTranscriber, sound: Samples) -> None:
    assert transcriber.transcribe(_pcm(sound), BROWSER).text == ""


def test_a_minute_is_heard_to_its_end(transcriber: WhisperTranscriber) -> None:
    gap = bytes(BROWSER.bytes_of(11_000))
    audio = gap.join(_say(text) for text in ("Buy apples.", "Call Robert.", "Wash the car.", "Go."))
    heard = transcriber.transcribe(audio, BROWSER).text.lower()
    assert "apples" in heard
    assert "robert" in heard
    assert "wash the car" in heard


def test_any_bytes_are_audio_or_an_error(transcriber: WhisperTranscriber) -> None:
    rubbish = np.random.default_rng(5).bytes(RATE_HZ + 1)
    assert transcriber.transcribe(rubbish, BROWSER).text == ""
    with pytest.raises(SpeechError, match="not known"):
        transcriber.transcribe(rubbish, AudioFormat("flac", 16_000))  # type: ignore[arg-type]


def test_threads_that_share_it_hear_their_own(transcriber: WhisperTranscriber) -> None:
    texts = ["What is on my list today?", "Call me tomorrow morning."]
    heard: dict[str, str] = {}

    def hear(text: str) -> None:
        heard[text] = transcriber.transcribe(_say(text), BROWSER).text

    threads = [threading.Thread(target=hear, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "list today" in heard[texts[0]]
    assert "tomorrow morning" in heard[texts[1]]


def test_a_child_hears_though_its_parent_has_the_model(transcriber: WhisperTranscriber) -> None:
    audio = _say("What is on my list today?")
    context = multiprocessing.get_context("fork")
    near, far = context.Pipe(duplex=False)
    child = context.Process(target=lambda: far.send(transcriber.transcribe(audio, BROWSER).text))
    child.start()
    answered = near.poll(30)
    text = near.recv() if answered else ""
    child.kill()
    child.join(10)
    assert "list today" in text


def test_a_sentence_heard_twice_is_heard_again_with_the_full_window(
    transcriber: WhisperTranscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, windows = transcriber._listen, []

    def looping(samples: Any, window: int, **more: Any) -> Any:
        windows.append(window)
        heard = once(samples, window, **more)
        return replace(heard, text=f"{heard.text} {heard.text}") if window < FULL_WINDOW else heard

    monkeypatch.setattr(transcriber, "_listen", looping)
    heard = transcriber.transcribe(_say("What is on my list today?"), BROWSER)
    assert heard.text.lower().count("what is on my list") == 1
    assert windows == [1500, FULL_WINDOW]


def test_what_was_said_twice_stays_said_twice(transcriber: WhisperTranscriber) -> None:
    heard = transcriber.transcribe(_say("Buy milk and bread. Buy milk and bread."), BROWSER)
    assert heard.text.lower().count("milk") == 2


def test_without_its_model_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    options = WhisperOptions(model_dir=tmp_path, cache_dir=tmp_path)
    with pytest.raises(SpeechError, match=f"There is no speech model in {tmp_path}"):
        WhisperTranscriber(options).warm_up()


def test_a_host_may_choose_threads_and_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISPER_THREADS", "3")
    monkeypatch.setenv("WHISPER_WINDOW_FRAMES", "3000")
    options = options_from_environment()
    assert (options.threads, options.window_frames) == (3, 3000)
    with pytest.raises(ValueError, match="window_frames"):
        WhisperOptions(window_frames=500)


@pytest.mark.parametrize(("chosen", "recipe"), [("low", "LQ"), ("best", "VHQ")])
def test_a_host_may_choose_how_well_callers_are_resampled(
    settings: Any, monkeypatch: pytest.MonkeyPatch, chosen: str, recipe: str
) -> None:
    settings.RESAMPLE_QUALITY = chosen
    recipes = resampled_with(monkeypatch)
    # Silence is resampled, and needs no model.
    assert WhisperTranscriber().transcribe(b"\xff" * 8_000, PHONE).text == ""
    assert recipes == [recipe]
