"""Which providers this server asks, in which order, what any lacks; and what it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from convonet import profiles, providers
from convonet.providers import Provider


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider as this server has it; `place` 1 is asked first, 0 is asked never."""

    name: str
    label: str
    place: int
    lacks: str
    """One sentence; empty when it can work."""


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    """As in `voice.models.ProviderUse.Stage`."""
    label: str
    variable: str
    """The environment variable that names its providers."""
    candidates: tuple[Candidate, ...]
    """The configured ones in their order, then the rest."""

    @property
    def configured(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if one.place)

    @property
    def others(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if not one.place)


def stages() -> list[Stage]:
    """In the order in which a turn goes through them."""
    hearing, thinking = providers.HEARING, providers.LANGUAGE
    return [
        _stage("hear", "Hearing", "TRANSCRIBER", hearing, settings.TRANSCRIBERS),
        _stage("think", "Thinking", "LANGUAGE_MODEL", thinking, settings.LANGUAGE_MODELS),
        _stage("speak", "Speaking", "SYNTHESIZER", providers.SPEAKING, settings.SYNTHESIZERS),
    ]


def profile_told() -> str:
    """What this server was given for its memory, and what its host set otherwise; one sentence."""
    values = {name: getattr(settings, name) for name in settings.PROFILE.variables}
    return profiles.told(settings.PROFILE, values, speech=settings.SPEECH_WORKER)


def label_of(stage: str, name: str) -> str:
    """What a person reads for a provider that was asked in this stage."""
    catalogue = {"hear": providers.HEARING, "think": providers.LANGUAGE}
    known = providers.named(catalogue.get(stage, providers.SPEAKING), name)
    return known.label if known else name


def _stage(
    name: str, label: str, variable: str, catalogue: Mapping[str, Provider], names: Sequence[str]
) -> Stage:
    asked = [_candidate(catalogue, one, place) for place, one in enumerate(names, start=1)]
    rest = [_candidate(catalogue, one, 0) for one in catalogue if one not in names]
    return Stage(name, label, variable, tuple(asked + rest))


def _candidate(catalogue: Mapping[str, Provider], name: str, place: int) -> Candidate:
    known = providers.named(dict(catalogue), name)
    if known is None:
        return Candidate(name, name, place, "There is no provider of this name.")
    return Candidate(name, known.label, place, providers.missing(known))
