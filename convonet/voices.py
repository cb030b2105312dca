"""The voices that people may choose, without importing any engine.

Read by the page's settings, which offer them, and by the engines of `workers.speech`, whose voice
follows the caller's language.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from convonet import env, providers


@dataclass(frozen=True, slots=True)
class Voice:
    provider: str
    """A name from `convonet.providers.SPEAKING`."""
    name: str
    """The engine's own name of it."""
    label: str
    """What a person reads."""
    language: str = ""
    """ISO 639-1; empty for a voice that speaks whatever language the text is in."""

    @property
    def key(self) -> str:
        """`provider/name`, as preferences keep it."""
        return f"{self.provider}/{self.name}"


_PICO = (
    Voice("pico", "en-US", "American English", "en"),
    Voice("pico", "en-GB", "British English", "en"),
    Voice("pico", "de-DE", "German", "de"),
    Voice("pico", "es-ES", "Spanish", "es"),
    Voice("pico", "fr-FR", "French", "fr"),
    Voice("pico", "it-IT", "Italian", "it"),
)
_PIPER = (Voice("piper", "joe", "Joe, American English", "en"),)
# https://platform.openai.com/docs/guides/text-to-speech: each speaks every language of the model.
_OPENAI = tuple(
    Voice("openai", name, name.capitalize())
    for name in (
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable"),
        *("marin", "nova", "onyx", "sage", "shimmer", "verse"),
    )
)
# https://developers.deepgram.com/docs/tts-models: a few of each language.
_DEEPGRAM = (
    Voice("deepgram", "aura-2-thalia-en", "Thalia, American English", "en"),
    Voice("deepgram", "aura-2-andromeda-en", "Andromeda, American English", "en"),
    Voice("deepgram", "aura-2-apollo-en", "Apollo, American English", "en"),
    Voice("deepgram", "aura-2-draco-en", "Draco, British English", "en"),
    Voice("deepgram", "aura-2-elara-de", "Elara, German", "de"),
    Voice("deepgram", "aura-2-celeste-es", "Celeste, Spanish", "es"),
    Voice("deepgram", "aura-2-agathe-fr", "Agathe, French", "fr"),
    Voice("deepgram", "aura-2-dionisio-it", "Dionisio, Italian", "it"),
    Voice("deepgram", "aura-2-beatrix-nl", "Beatrix, Dutch", "nl"),
    Voice("deepgram", "aura-2-ama-ja", "Ama, Japanese", "ja"),
)
# An account has voices of its own; this one every account has.
_GEORGE = "George=JBFqnCBsd6RMkjVDRZzb"


def known() -> tuple[Voice, ...]:
    """Every voice with a name here, installed and paid for or not."""
    return (*_PICO, *_PIPER, *_OPENAI, *_DEEPGRAM, *_elevenlabs())


def offered(synthesizers: Iterable[str]) -> list[Voice]:
    """The voices of these providers that can speak on this server, in the providers' order."""
    able = [name for name in synthesizers if _able(name)]
    return [voice for name in able for voice in known() if voice.provider == name]


def find(key: str) -> Voice | None:
    """The voice of `provider/name`."""
    return next((voice for voice in known() if voice.key == key), None)


def first_of(provider: str) -> str:
    """The name of the provider's first voice; empty when none is known."""
    return next((voice.name for voice in known() if voice.provider == provider), "")


def split(key: str) -> tuple[str, str]:
    """Provider and voice of `provider/name`, or of `provider/` for its own default voice.

    Two empty strings for what is no such key.
    """
    provider, _, name = key.rpartition("/")
    return (provider, name) if provider else ("", "")


def fitting(provider: str, language: str, wanted: str) -> str:
    """The wanted voice if it speaks the language, else the provider's first that does, else it."""
    spoken = _language(provider, wanted)
    if not language or not spoken or spoken == language:
        return wanted
    others = (voice for voice in known() if voice.provider == provider)
    return next((voice.name for voice in others if voice.language == language), wanted)


def _language(provider: str, name: str) -> str:
    voice = find(f"{provider}/{name}")
    if voice is not None:
        return voice.language
    # Deepgram's names end with it, those not listed here too.
    return name.rpartition("-")[2] if provider == "deepgram" else ""


def _able(name: str) -> bool:
    provider = providers.named(providers.SPEAKING, name)
    return provider is not None and not providers.missing(provider)


def _elevenlabs() -> Iterable[Voice]:
    """`ELEVENLABS_VOICES`: voice ids, each with a name before it if wanted (`Anna=id,Ben=id`)."""
    for entry in env.words("ELEVENLABS_VOICES", [_GEORGE]):
        label, _, voice_id = entry.rpartition("=")
        yield Voice("elevenlabs", voice_id, label or voice_id)
