"""What goes wrong with a speech service, by one name each; known to chains, so without HTTP."""

from __future__ import annotations

from workers.errors import SpeechError

_SENTENCES = {
    "speech_auth": "The speech service does not accept the key.",
    "speech_rate": "The speech service is asked too often.",
    "speech_refused": "The speech service refuses what it was asked.",
    "speech_server": "The speech service failed.",
    "speech_timeout": "The speech service took too long.",
    "speech_unreached": "The speech service could not be reached.",
    "speech_half": "The speech service broke off.",
    "speech_garbage": "The speech service's answer makes no sense.",
}
_LASTING = frozenset(("speech_auth", "speech_refused"))


class ServiceError(SpeechError):
    """`code` is one of the above; `retry_after` seconds are what the service asked for, else 0."""

    def __init__(self, code: str, *, retry_after: float = 0.0) -> None:
        super().__init__(_SENTENCES[code], code=code, retryable=code not in _LASTING)
        self.retry_after = retry_after
