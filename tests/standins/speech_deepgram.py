"""A local server that speaks Deepgram's API for whole recordings and for sentences.

https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded,
https://developers.deepgram.com/reference/text-to-speech/speak-request
"""

from __future__ import annotations

import re
from typing import Any

from tests.standins.speech_http import KEY, Asked, Refused, Sound, StandIn, text_of
from voice.audio import AudioFormat

ENCODINGS = {"linear16": "pcm16", "mulaw": "mulaw"}
RATES = {"linear16": (8_000, 16_000, 24_000, 32_000, 48_000), "mulaw": (8_000, 16_000)}
VOICE = re.compile(r"aura(-2)?-[a-z]+-[a-z]{2}")


class DeepgramStandIn(StandIn):
    key_header = ("authorization", f"Token {KEY}")

    def answer(self, asked: Asked) -> Sound | Any:
        if asked.path == "/v1/listen":
            return self._listen(asked)
        if asked.path == "/v1/speak":
            return self._speak(asked)
        raise Refused(404, "Not found.")

    def error(self, status: int, why: str) -> Any:
        codes = {401: "INVALID_AUTH", 429: "TOO_MANY_REQUESTS", 500: "INTERNAL_SERVER_ERROR"}
        return {"err_code": codes.get(status, "Bad Request"), "err_msg": why, "request_id": "0"}

    def _listen(self, asked: Asked) -> Any:
        query = asked.query
        if asked.headers.get("content-type") == "application/json":
            raise Refused(400, "Bad Request: failed to process audio: corrupt or unsupported data")
        if not query.get("model", "").startswith("nova"):
            raise Refused(400, "No such model/language/tier combination found.")
        text = self.hear(asked.body, _format(query))
        alternative: dict[str, Any] = {"transcript": text, "confidence": 0.99, "words": []}
        channel: dict[str, Any] = {"alternatives": [alternative]}
        if query.get("language") == "multi":
            alternative["languages"] = [self.language]
        elif query.get("detect_language") == "true":
            channel |= {"detected_language": self.language, "language_confidence": 0.98}
        metadata = {"request_id": "0", "duration": 2.0, "channels": 1}
        return {"metadata": metadata, "results": {"channels": [channel]}}

    def _speak(self, asked: Asked) -> Sound:
        query = asked.query
        audio_format = _format(query)
        if audio_format.rate_hz not in RATES[query["encoding"]]:
            raise Refused(400, "Unsupported sample rate.")
        if not VOICE.fullmatch(query.get("model", "")) or query.get("container") != "none":
            raise Refused(400, "No such voice, or not without a container.")
        text = text_of(asked.json.get("text"), 2000, 413)
        return Sound(self.say(text, audio_format), "audio/l16; rate=16000")


def _format(query: dict[str, str]) -> AudioFormat:
    try:
        encoding: Any = ENCODINGS[query["encoding"]]
        return AudioFormat(encoding, int(query["sample_rate"]))
    except (KeyError, ValueError) as error:
        raise Refused(400, "encoding and sample_rate are required for raw audio") from error
