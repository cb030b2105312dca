"""A local server that speaks ElevenLabs' API for streamed sentences.

https://elevenlabs.io/docs/api-reference/text-to-speech/stream
"""

from __future__ import annotations

import re
from typing import Any

from tests.standins.speech_http import KEY, Asked, Refused, Sound, StandIn, text_of
from voice.audio import AudioFormat

PATH = re.compile(r"/v1/text-to-speech/([^/]+)/stream")
FORMATS = {
    "pcm_8000": AudioFormat("pcm16", 8_000),
    "pcm_16000": AudioFormat("pcm16", 16_000),
    "ulaw_8000": AudioFormat("mulaw", 8_000),
}
VOICES = ("JBFqnCBsd6RMkjVDRZzb", "another-voice")
MODELS = ("eleven_flash_v2_5", "eleven_multilingual_v2")


class ElevenLabsStandIn(StandIn):
    key_header = ("xi-api-key", KEY)

    def answer(self, asked: Asked) -> Sound:
        path = PATH.fullmatch(asked.path)
        if path is None:
            raise Refused(404, "Not Found")
        if path[1] not in VOICES:
            raise Refused(404, "A voice with that voice_id was not found.")
        body, audio_format = asked.json, FORMATS.get(asked.query.get("output_format", ""))
        if audio_format is None or body.get("model_id") not in MODELS:
            raise Refused(422, "Input should be one of the published values.")
        if "language_code" in body and body["model_id"] != "eleven_flash_v2_5":
            raise Refused(400, "The model does not support a language code.")
        text = text_of(body.get("text"), 40_000, 400)
        kind = "audio/basic" if audio_format.encoding == "mulaw" else "audio/pcm"
        return Sound(self.say(text, audio_format), kind)

    def error(self, status: int, why: str) -> Any:
        statuses = {401: "invalid_api_key", 404: "voice_not_found", 429: "too_many_requests"}
        return {"detail": {"status": statuses.get(status, "internal_error"), "message": why}}
