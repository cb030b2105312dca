"""What a speech-to-speech model is asked for, from the environment; a bad value stops the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from convonet import env
from voice.audio import MODEL_RATE, PHONE

URL = "wss://api.openai.com/v1/realtime"
MODEL = "gpt-realtime-2.1"
TRANSCRIBE_MODEL = "gpt-transcribe"
VOICE = "marin"
# The formats the model takes and makes; calls in others are held by our own parts.
FORMATS = {
    PHONE: {"type": "audio/pcmu"},
    MODEL_RATE: {"type": "audio/pcm", "rate": 24_000},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeOptions:
    key: str = field(repr=False)
    url: str = URL
    model: str = MODEL
    voice: str = VOICE
    transcribe_model: str = TRANSCRIBE_MODEL
    reasoning: str = ""
    """Effort of a model that reasons; empty leaves it to the model."""
    greet: bool = False
    """The model speaks first."""
    vad_threshold: float = 0.5
    """0 to 1: how surely it must be speech."""
    vad_prefix_ms: int = 300
    """Audio before the speech that belongs to it."""
    vad_silence_ms: int = 500
    """Silence that ends what was said."""
    noise_reduction: str = ""
    """`near_field`, `far_field` or none."""
    early: bool = True
    """Our own voice gate stops a reply, too, if it hears the caller first."""
    open_seconds: float = 5.0
    """To open the socket, and again until the session is as asked."""
    answer_seconds: float = 10.0
    """A response that says nothing for so long is given up, and the line with it."""
    words_seconds: float = 2.0
    """So long a tool waits for the transcript of what it was asked for."""
    renew_seconds: float = 3300.0
    """A session older than this is replaced in a pause: OpenAI ends it after 60 minutes."""

    def address(self) -> str:
        return f"{self.url}?{urlencode({'model': self.model})}"


def from_environment() -> RealtimeOptions | None:
    """None without a key."""
    key = env.text("OPENAI_REALTIME_API_KEY") or env.text("OPENAI_API_KEY")
    if not key:
        return None
    return RealtimeOptions(
        key=key,
        url=env.text("OPENAI_REALTIME_URL") or URL,
        model=env.text("OPENAI_REALTIME_MODEL") or MODEL,
        voice=env.text("OPENAI_REALTIME_VOICE") or VOICE,
        transcribe_model=env.text("OPENAI_REALTIME_TRANSCRIBE_MODEL") or TRANSCRIBE_MODEL,
        reasoning=env.choice(
            "OPENAI_REALTIME_REASONING", "", ["", "minimal", "low", "medium", "high", "xhigh"]
        ),
        greet=env.flag("REALTIME_GREET"),
        vad_threshold=env.seconds("REALTIME_VAD_THRESHOLD", 0.5, most=1.0),
        vad_prefix_ms=env.integer("REALTIME_VAD_PREFIX_MS", 300, most=2000),
        vad_silence_ms=env.integer("REALTIME_VAD_SILENCE_MS", 500, least=100, most=5000),
        noise_reduction=env.choice("REALTIME_NOISE_REDUCTION", "", ["", "near_field", "far_field"]),
        early=env.flag("REALTIME_EARLY_BARGE_IN", default=True),
        answer_seconds=env.seconds("REALTIME_ANSWER_SECONDS", 10.0, least=1.0, most=60.0),
    )
