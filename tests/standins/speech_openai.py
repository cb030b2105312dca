"""A local server that speaks OpenAI's audio API.

https://platform.openai.com/docs/api-reference/audio
"""

from __future__ import annotations

import io
import wave
from email.message import Message
from email.parser import BytesParser
from typing import Any

from tests.standins.speech_http import KEY, Asked, Refused, Sound, StandIn, text_of
from voice.audio import AudioFormat

HEARS = ("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "whisper-1")
SPEAKS = ("gpt-4o-mini-tts", "tts-1", "tts-1-hd")
VOICES = (
    *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
    *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
)
NAMES = {"en": "english", "de": "german"}
# An utterance of which whisper-1 itself says that it holds no speech.
SILENT = {"id": 0, "text": " Thank you.", "avg_logprob": -0.9, "no_speech_prob": 0.93}


class OpenAIStandIn(StandIn):
    key_header = ("authorization", f"Bearer {KEY}")

    def answer(self, asked: Asked) -> Sound | Any:
        if asked.path == "/v1/audio/transcriptions":
            return self._transcription(asked)
        if asked.path == "/v1/audio/speech":
            return self._speech(asked.json)
        raise Refused(404, f"Invalid URL (POST {asked.path})")

    def error(self, status: int, why: str) -> Any:
        kinds = {401: "invalid_request_error", 429: "tokens", 500: "server_error"}
        kind = kinds.get(status, "invalid_request_error")
        return {"error": {"message": why, "type": kind, "param": None, "code": None}}

    def _transcription(self, asked: Asked) -> Any:
        fields = _form(asked)
        model = fields["model"].get_payload()
        kind = fields["response_format"].get_payload()
        if model not in HEARS:
            raise Refused(404, f"The model `{model}` does not exist.")
        if model != "whisper-1" and kind != "json":
            raise Refused(400, f"response_format '{kind}' is not compatible with model '{model}'.")
        text = self.hear(*_wav(fields["file"]))
        if model != "whisper-1":
            usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 9, "total_tokens": 23}
            return {"text": text, "usage": usage}
        segment = {"id": 0, "text": text, "avg_logprob": -0.25, "no_speech_prob": 0.01}
        return {
            "task": "transcribe",
            "language": NAMES[self.language],
            "duration": 2.0,
            "text": text or "Thank you.",
            "segments": [segment if text else SILENT],
        }

    def _speech(self, asked: Any) -> Sound:
        text = text_of(asked.get("input"), 4096, 400)
        if asked.get("model") not in SPEAKS or asked.get("voice") not in VOICES:
            raise Refused(400, "Invalid value for model or voice.")
        if asked.get("response_format") != "pcm":
            raise Refused(400, "These tests want plain samples.")
        return Sound(self.say(text, AudioFormat("pcm16", 24_000)), "audio/pcm")


def _form(asked: Asked) -> dict[str, Message]:
    """The parts of a multipart form; raises Refused."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser().parsebytes(head + asked.body)
    if form.get_content_type() != "multipart/form-data":
        raise Refused(400, "Could not parse multipart form")
    parts = [part for part in form.get_payload() if isinstance(part, Message)]
    fields = {str(part.get_param("name", header="content-disposition")): part for part in parts}
    if not {"file", "model", "response_format"} <= fields.keys():
        raise Refused(400, "you must provide a file and a model parameter")
    return fields


def _wav(part: Message) -> tuple[bytes, AudioFormat]:
    if not str(part.get_filename()).endswith(".wav"):
        raise Refused(400, "Unrecognized file format.")
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise Refused(400, "Audio file might be corrupted or unsupported")
            audio = file.readframes(file.getnframes())
            audio_format = AudioFormat("pcm16", file.getframerate())
    except wave.Error as error:
        raise Refused(400, "Audio file might be corrupted or unsupported") from error
    if audio_format.ms_of(len(audio)) < 100:
        raise Refused(400, "Audio file is too short. Minimum audio length is 0.1 seconds.")
    return audio, audio_format
