"""Which providers the server asks, as the terminal and the monitor tell it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from convonet import configured
from voice import usage
from voice.uses import Use, record


@pytest.fixture(autouse=True)
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TRANSCRIBERS = ["deepgram", "local"]
    settings.LANGUAGE_MODELS = ["local", "opennai", "tests.elsewhere.OwnModel"]
    settings.SYNTHESIZERS = ["pico"]
    for name in ("DEEPGRAM_API_KEY", "OPENAI_API_KEY", "ELEVENLABS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ELEVENLABS_API_KEY", "a-secret-key")


def printed() -> list[str]:
    out = StringIO()
    call_command("providers", stdout=out)
    assert "a-secret-key" not in out.getvalue()
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_the_stages_name_who_is_asked_first_and_who_could_be() -> None:
    hear, think, speak = configured.stages()
    assert (hear.name, think.name, speak.name) == ("hear", "think", "speak")
    assert [(one.name, one.place) for one in hear.candidates] == [
        ("deepgram", 1),
        ("local", 2),
        ("openai", 0),
    ]
    assert [one.label for one in think.configured] == ["Local commands", "opennai", "OwnModel"]
    assert think.configured[1].lacks == "There is no provider of this name."
    assert {one.name: one.lacks for one in speak.others}["elevenlabs"] == ""


@pytest.mark.parametrize(
    ("stage", "name", "label"),
    [
        ("hear", "local", "Whisper tiny.en"),
        ("think", "local", "Local commands"),
        ("speak", "deepgram", "Deepgram Aura"),
        ("think", "gone", "gone"),
        ("think", "somebody.elses.Model", "Model"),
    ],
)
def test_a_provider_is_told_by_its_label_in_the_stage(stage: str, name: str, label: str) -> None:
    assert configured.label_of(stage, name) == label


@pytest.mark.django_db
def test_a_newcomer_reads_what_is_used_what_is_missing_and_what_it_costs() -> None:
    record(
        Use("hear", "deepgram", "nova-3", took_ms=300, audio_ms=60_000),
        Use("hear", "deepgram", "nova-3", error="speech_timeout"),
        Use("think", "OwnModel", took_ms=5),
        call_id=None,
    )
    told = printed()
    assert "Hearing (TRANSCRIBER=deepgram,local)" in told
    assert (
        "1 Deepgram deepgram Deepgram needs DEEPGRAM_API_KEY; 2 questions in the last day, "
        "1 failed, half answered within 300 ms, $0.0077" in told
    )
    assert "2 Whisper tiny.en local ready" in told
    assert "- OpenAI transcription openai OpenAI transcription needs OPENAI_API_KEY" in told
    assert "- ElevenLabs elevenlabs ready" in told
    assert "2 opennai opennai There is no provider of this name" in told
    assert (
        "3 OwnModel tests.elsewhere.OwnModel ready; 1 question in the last day, "
        "half answered within 5 ms, price not known" in told
    )


def test_before_the_first_start_it_is_told_without_a_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unready(since: object) -> None:
        raise DatabaseError("no such table")

    monkeypatch.setattr(usage, "figures", unready)
    told = printed()
    assert "1 Pico pico ready" in told
    assert told[-1] == "The database is not prepared yet: what was asked is not known."
