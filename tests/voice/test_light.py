"""The web process stays light: what it must never import, asked of a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    "langchain",
    "langchain_core",
    "langgraph",
    "langchain_mcp_adapters",
    "mcp",
    "numpy",
    "soxr",
    "ctranslate2",
    "py_nanotts",
    "nanotts",
    "onnxruntime",
    "hassil",
    "recurrent",
    "openai",
    "celery",
    "kombu",
    "anthropic",
    "google.genai",
    "deepgram",
    "elevenlabs",
    # Only where calls are heard live.
    "websockets",
    "workers",
]


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_web_process_imports_nothing_heavy() -> None:
    web = "import convonet.asgi, convonet.urls, voice.wiring, voice.sockets"
    loaded = modules_after(web)
    assert "voice.call" in loaded
    assert {name for name in HEAVY if name in loaded} == set()


def test_the_admin_is_loaded_when_somebody_asks_for_it() -> None:
    web = "import convonet.asgi"
    admin = {"unfold.admin", "voice.admin", "todo.admin", "phone.admin", "monitor.admin"}
    assert not admin & modules_after(web)
    asked = "from django.test import Client; Client().get('/admin/', HTTP_HOST='localhost')"
    assert admin <= modules_after(f"{web}; {asked}")


def test_the_check_would_notice() -> None:
    assert "numpy" in modules_after("import convonet.recordings")
