"""Which role loads what, each tried in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from convonet.providers import Provider
from tests.stack import ROOT
from workers import preload, rehearsal, steps, wiring
from workers.language.models import Models, Named

LOAD = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import convonet.celery
convonet.celery.app.loader.import_default_modules()
from workers import preload
assert "workers.tasks" in sys.modules
preload.load([{role!r}])
import threading
assert threading.active_count() == 1, threading.enumerate()
print(*sorted(sys.modules))
"""
AGENT_ONLY = {"langchain", "langchain_core", "langgraph", "mcp"}
SDKS = {"anthropic", "google.genai", "openai"}
SPEECH_ONLY = {"numpy", "ctranslate2", "soxr", "workers.speech"}
ENGINES = {"numpy", "ctranslate2", "soxr", "py_nanotts", "onnxruntime"}


def modules_of(role: str, **settings: str) -> set[str]:
    command = [sys.executable, "-c", LOAD.format(role=role)]
    env = {k: v for k, v in os.environ.items() if k not in ("TRANSCRIBER", "SYNTHESIZER")}
    env |= settings
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.service
def test_a_speech_worker_loads_no_agent() -> None:
    loaded = modules_of(preload.SPEECH)
    assert loaded >= {"workers.speech.chain", "workers.speech_jobs"}
    # A client that nobody would use, and what only a child that is used needs.
    assert not loaded & (AGENT_ONLY | ENGINES | {"httpx"})


@pytest.mark.service
def test_a_speech_worker_that_only_asks_services_loads_no_engine() -> None:
    services = {"TRANSCRIBER": "deepgram,openai", "SYNTHESIZER": "elevenlabs,deepgram"}
    loaded = modules_of(preload.SPEECH, **services)
    assert loaded >= {"httpcore", "workers.speech.deepgram", "workers.speech.elevenlabs"}
    assert not loaded & (AGENT_ONLY | ENGINES)


@pytest.mark.service
def test_an_agent_worker_loads_no_speech() -> None:
    loaded = modules_of(preload.AGENT)
    assert loaded >= {"langchain.agents", "mcp.client.streamable_http", "workers.agent_turn"}
    assert not loaded & SPEECH_ONLY
    assert not loaded & SDKS, "nobody named them"


def test_the_role_comes_from_the_queues_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKER_ROLE", raising=False)
    assert preload.roles({"speech": None}) == ("speech",)
    assert preload.roles({"speech": None, "agent": None}) == ("agent", "speech")
    monkeypatch.setenv("WORKER_ROLE", "agent")
    assert preload.roles({"speech": None}) == ("agent",)


def test_the_rehearsal_goes_through_a_whole_turn() -> None:
    taken = rehearsal.rehearse()
    assert [type(step) for step in taken] == [
        steps.Asked,
        steps.MessageEnded,
        steps.ToolBegan,
        steps.ToolEnded,
        steps.ToolsAnswered,
        steps.Words,
        steps.Asked,
        steps.MessageEnded,
        steps.Ended,
    ]
    assert taken[-1] == steps.Ended()


def test_an_sdk_that_cannot_be_loaded_is_told_and_leaves_the_worker_alive(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    member = Named(Provider("gone", "Gone", "no.such.adapter.make", module="nothing"))
    monkeypatch.setattr(wiring, "language_models", lambda: Models([member]))
    preload._load_agent()
    (record,) = [r for r in caplog.records if r.getMessage() == "language model not rehearsed"]
    assert record.__dict__["provider"] == "gone"
    assert record.__dict__["error"].startswith("ModuleNotFoundError")
