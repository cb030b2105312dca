"""What the adapters of speech services share: their audio as it arrives, their words as they are.

Imports no numpy, so that a worker that only asks services stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voice.audio import AudioFormat
from workers.speech.failures import ServiceError
from workers.speech.formats import LEAST_MS
from workers.speech.http import Answer

# Later parts are gathered: each one costs the broker and the call an event.
GATHER_MS = 100
_CONTAINERS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"<!DO", b"<htm")
_SOUND = ("audio/", "application/octet-stream")


def too_short(audio: bytes, audio_format: AudioFormat) -> bool:
    """Not worth asking anybody; services refuse such audio as an error."""
    return audio_format.ms_of(len(audio)) < LEAST_MS


def audio_of(answer: Answer, made_as: AudioFormat) -> Iterator[bytes]:
    """Raw audio in whole samples, the first of it at once; raises SpeechError.

    An answer of another kind (a page, JSON, a WAV file) would be heard as noise.
    """
    if answer.kind and not answer.kind.startswith(_SOUND):
        raise ServiceError("speech_garbage")
    width = 2 if made_as.encoding == "pcm16" else 1
    least, rest, begun = width * 2, b"", False
    for part in answer.parts():
        rest += part
        if len(rest) >= least:
            if not begun and rest.startswith(_CONTAINERS):
                raise ServiceError("speech_garbage")
            size = len(rest) - len(rest) % width
            yield rest[:size]
            rest, begun, least = rest[size:], True, made_as.bytes_of(GATHER_MS)
    if not begun:
        raise ServiceError("speech_half")
    if len(rest) >= width:
        yield rest[: len(rest) - len(rest) % width]


def part_of(body: Any, *path: str | int) -> Any:
    """The part of a JSON answer under these names and numbers; raises SpeechError without it."""
    try:
        for step in path:
            body = body[step]
    except (KeyError, IndexError, TypeError) as wrong:
        raise ServiceError("speech_garbage") from wrong
    return body


def words_of(body: Any, *path: str | int) -> str:
    """The transcript there; raises SpeechError for what is no text."""
    words = part_of(body, *path)
    if not isinstance(words, str):
        raise ServiceError("speech_garbage")
    return words.strip()
