"""Hears with Whisper tiny.en on CTranslate2 itself: no tokenizer, decoder or download libraries.

Called by `workers.tasks` through `workers.ports.Transcriber`. The model is loaded by `warm_up` or
the first utterance, never by an import, so that a parent may import this and fork.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import ctranslate2
import numpy as np
from django.conf import settings

from convonet import env, memory
from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.ports import Transcription
from workers.speech import tokens
from workers.speech.features import HOP, RATE_HZ, Samples, log_mel
from workers.speech.options import Quality, WhisperOptions
from workers.speech.pieces import pieces
from workers.speech.sound import level, to_samples
from workers.speech.spelling import one_spelling
from workers.speech.weights import installed_model, int8_model

logger = logging.getLogger(__name__)

FULL_WINDOW = 3000
# The end of a long utterance needs room: Whisper loops when speech fills its window.
_SPARE_FRAMES = 100
# Nobody speaks faster; a loop is cut there.
_TOKENS_PER_SECOND = 5
_TOKENS_SPARE = 4
# Less than a word, and quieter than any microphone that is on.
_LEAST_SAMPLES = RATE_HZ // 10
_LEAST_LEVEL = 1e-4


@dataclass(frozen=True, slots=True)
class _Heard:
    text: str
    score: float
    no_speech: float
    looped: bool = False

    @property
    def sound(self) -> bool:
        return bool(self.text) and not self.looped


_NOTHING = _Heard("", 0.0, 1.0)


class WhisperTranscriber:
    """One model per process; threads that share it take turns."""

    model = "tiny.en"

    def __init__(self, options: WhisperOptions | None = None) -> None:
        self._options = options or options_from_environment()
        self._lock = threading.Lock()
        self._model: ctranslate2.models.Whisper | None = None
        self._pid = 0
        self._inherited: list[ctranslate2.models.Whisper] = []
        self._prompts: dict[bool, list[str]] = {}

    def warm_up(self) -> None:
        """Load the model and run it once, so that its buffers exist."""
        self._listen(np.zeros(RATE_HZ, np.float32), self._options.window_frames)

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        """The words of one utterance of any length; raises SpeechError."""
        return self._transcribe(audio, audio_format, digits=False)

    def transcribe_digits(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        return self._transcribe(audio, audio_format, digits=True)

    def _transcribe(
        self, audio: bytes, audio_format: AudioFormat, *, digits: bool
    ) -> Transcription:
        samples = to_samples(audio, audio_format, RATE_HZ, self._options.resampling)
        heard = [self._hear(piece, digits=digits) for piece in pieces(samples)]
        worded = [piece for piece in heard if piece.text]
        if not worded:
            return Transcription("", min(piece.score for piece in heard))
        return Transcription(
            " ".join(piece.text for piece in worded),
            sum(piece.score for piece in worded) / len(worded),
        )

    def _hear(self, samples: Samples, *, digits: bool) -> _Heard:
        """One piece, heard again with the full window when the first hearing is doubtful."""
        if len(samples) < _LEAST_SAMPLES or level(samples) < _LEAST_LEVEL:
            return _NOTHING
        options = self._options
        first = self._listen(samples, self._window(samples), digits=digits)
        if first.no_speech > (options.most_no_speech_digits if digits else options.most_no_speech):
            return replace(first, text="")
        if self._believed(first) and (digits or not _said_twice(first.text)):
            return first
        again = self._listen(samples, FULL_WINDOW, digits=digits)
        if not self._believed(again):
            again = self._listen(samples, FULL_WINDOW, prompted=False)
        return again if self._believed(again) else replace(again, text="")

    def _believed(self, heard: _Heard) -> bool:
        return heard.sound and heard.score >= self._options.least_score

    def _window(self, samples: Samples) -> int:
        least = len(samples) // HOP + _SPARE_FRAMES
        return self._options.window_frames if least <= self._options.window_frames else FULL_WINDOW

    def _listen(
        self, samples: Samples, window: int, *, prompted: bool = True, digits: bool = False
    ) -> _Heard:
        features = ctranslate2.StorageView.from_array(log_mel(samples, window))
        most = _TOKENS_SPARE + _TOKENS_PER_SECOND * len(samples) // RATE_HZ
        try:
            with self._lock:
                model = self._loaded()
                expected = self._prompts[digits] if prompted else ()
                prompt = [*expected, tokens.START, tokens.NO_TIMESTAMPS]
                result = model.generate(
                    features,
                    [prompt],
                    beam_size=self._options.beam,
                    # CTranslate2 counts the prompt in.
                    max_length=len(prompt) + most + 1,
                    return_scores=True,
                    return_no_speech_prob=True,
                )[0]
        except RuntimeError as error:
            logger.exception("Recognition failed", extra={"samples": len(samples)})
            raise SpeechError("I could not listen to that.", code="speech_engine") from error
        words = result.sequences[0]
        return _Heard(
            one_spelling(tokens.decode(words)),
            result.scores[0],
            result.no_speech_prob,
            len(words) > most,
        )

    def _loaded(self) -> ctranslate2.models.Whisper:
        """The model of this process: one inherited through a fork has lost its threads."""
        if self._model is None or self._pid != os.getpid():
            if self._model is not None:
                # Freeing it would wait for those threads for ever.
                self._inherited.append(self._model)
            # A fallback is loaded in mid-life, and its libraries reserve far more than they use.
            with memory.growing():
                self._model = self._load()
            self._pid = os.getpid()
        return self._model

    def _load(self) -> ctranslate2.models.Whisper:
        directory = int8_model(
            self._options.model_dir or installed_model(), self._options.cache_dir
        )
        vocabulary = set((directory / "vocabulary.txt").read_text("utf-8").split("\n"))
        self._prompts = {
            digits: [tokens.BEFORE, *tokens.encode(words, vocabulary)]
            for digits, words in (
                (False, self._options.prompt),
                (True, self._options.digits_prompt),
            )
        }
        return ctranslate2.models.Whisper(
            str(directory), compute_type="int8", intra_threads=self._options.threads
        )


def _said_twice(text: str) -> bool:
    """A loop that the guard is too coarse for, if it is one: people, too, say things twice."""
    words = re.findall(r"[\w']+", text.lower())
    half = len(words) // 2
    return half >= 3 and words[:half] == words[half:]


def options_from_environment() -> WhisperOptions:
    """What a host may change: `WHISPER_THREADS`, `WHISPER_WINDOW_FRAMES`, `WHISPER_MODEL_DIR`."""
    model_dir = env.text("WHISPER_MODEL_DIR")
    defaults = WhisperOptions(cache_dir=Path(settings.VAR_DIR) / "speech")
    return replace(
        defaults,
        model_dir=Path(model_dir) if model_dir else None,
        threads=env.integer("WHISPER_THREADS", defaults.threads, least=1, most=64),
        window_frames=env.integer(
            "WHISPER_WINDOW_FRAMES", defaults.window_frames, least=1000, most=FULL_WINDOW
        ),
        resampling=Quality(settings.RESAMPLE_QUALITY),
    )
