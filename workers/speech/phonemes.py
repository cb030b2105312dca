"""Text to the IPA that Piper's voices were trained on, by the eSpeak NG library of a package.

Belongs to the optional extra `requirements/piper.in`; called by `workers.speech.piper` alone.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata

import espeakng_loader  # type: ignore[import-not-found, import-untyped, unused-ignore]  # an extra

from workers.errors import SpeechError

_SYNCHRONOUS = 2
_UTF8 = 1
_IPA = 2


class Phonemizer:
    """One per process: the library keeps its voice in globals. Callers hold a lock."""

    def __init__(self, voice: str) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        data = espeakng_loader.get_data_path().encode()
        rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if rate_hz <= 0 or self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechError("The natural voice cannot be loaded.", code="speech_model_broken")

    def phonemes(self, text: str) -> str:
        """IPA letters, decomposed, with the punctuation that shapes the melody."""
        parts = re.split(r"([,.;:?!]+)", text)
        spoken = [
            part[0] + " " if index % 2 else self._clause(part) for index, part in enumerate(parts)
        ]
        return unicodedata.normalize("NFD", "".join(spoken).strip())

    def _clause(self, text: str) -> str:
        rest = ctypes.c_char_p(text.encode())
        found: list[str] = []
        while rest.value:
            part = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
            found.append((part or b"").decode("utf-8", errors="ignore"))
        return " ".join(found).strip()
