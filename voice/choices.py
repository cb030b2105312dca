"""What a person may choose on this server: who answers, and in which voice.

Read by `voice.choice_views`. Names no variable of the environment to people who are not staff.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from convonet import providers, voices
from convonet.providers import LANGUAGE, SPEAKING, Provider
from convonet.voices import Voice
from voice.models import Business, CallPreferences

NOT_SET_UP = "Not set up on this server."
# Answers whatever else is configured: it needs no key and no network.
LOCAL = "local"
SERVER = "the server"


@dataclass(frozen=True, slots=True)
class Option:
    """A provider; `reason` says in one sentence why it cannot be chosen, empty when it can."""

    name: str
    label: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VoiceGroup:
    """The voices of one provider; `reason` as in `Option`."""

    provider: str
    label: str
    reason: str
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """What happens without a choice of one's own: who chooses then, and what it is now.

    `value` is what a preference would hold; a voice without a name is the engine's own default.
    """

    to: str
    value: str
    label: str


def answerers(*, staff: bool) -> list[Option]:
    """Every provider of the catalogue, those this server offers first and in its order."""
    names = dict.fromkeys([*settings.LANGUAGE_MODELS, LOCAL, *LANGUAGE])
    return [
        Option(name, LANGUAGE[name].label, _why_not(LANGUAGE[name], staff=staff))
        for name in names
        if name in LANGUAGE
    ]


def voice_groups(*, staff: bool) -> list[VoiceGroup]:
    """The voices of the synthesizers this server names, in its order."""
    return [
        VoiceGroup(name, SPEAKING[name].label, _lack(SPEAKING[name], staff=staff), _voices_of(name))
        for name in settings.SYNTHESIZERS
        if name in SPEAKING
    ]


def may_answer(name: str) -> bool:
    return any(option.name == name and not option.reason for option in answerers(staff=False))


def may_speak(voice: str) -> bool:
    return any(known.key == voice for known in voices.offered(settings.SYNTHESIZERS))


def answer_left(business: Business | None) -> Left:
    if business is not None and may_answer(business.language_model):
        name = business.language_model
        return Left(business.name, name, LANGUAGE[name].label)
    name, label = _first_able(LANGUAGE, settings.LANGUAGE_MODELS)
    return Left(SERVER, name, label)


def voice_left(business: Business | None) -> Left:
    if business is not None and may_speak(business.voice):
        return Left(business.name, business.voice, voice_label(business.voice))
    name, label = _first_able(SPEAKING, settings.SYNTHESIZERS)
    return Left(SERVER, f"{name}/", label)


def voice_label(key: str) -> str:
    """Of a known voice: "Alloy, OpenAI voices"."""
    known = voices.find(key)
    return f"{known.label}, {SPEAKING[known.provider].label}" if known else ""


def effective(own: CallPreferences) -> tuple[str, str]:
    """The person's language model and voice, without what this server no longer offers."""
    model, voice = own.language_model, own.voice
    return model if may_answer(model) else "", voice if may_speak(voice) else ""


def _why_not(provider: Provider, *, staff: bool) -> str:
    if provider.name in settings.LANGUAGE_MODELS or provider.name == LOCAL:
        return _lack(provider, staff=staff)
    return "Not in LANGUAGE_MODEL." if staff else NOT_SET_UP


def _lack(provider: Provider, *, staff: bool) -> str:
    lack = providers.missing(provider)
    if not lack or not staff:
        return lack and NOT_SET_UP
    # Shown beside its name: "Needs …".
    rest = lack.removeprefix(f"{provider.label} ")
    return rest[:1].upper() + rest[1:]


def _voices_of(provider: str) -> tuple[Voice, ...]:
    return tuple(voice for voice in voices.known() if voice.provider == provider)


def _first_able(catalogue: dict[str, Provider], names: list[str]) -> tuple[str, str]:
    """Name and label of the first that can work here, else of the first."""
    found = [provider for name in names if (provider := providers.named(catalogue, name))]
    able = [provider for provider in found if not providers.missing(provider)]
    return next(((provider.name, provider.label) for provider in (*able, *found)), ("", ""))
