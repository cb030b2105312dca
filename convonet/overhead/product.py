"""A whole product of its own for a measurement: free ports, a directory that goes with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convonet import lifeline, ports

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 120.0
STOP_SECONDS = 45.0
# What a shell may hold for another product.
_NOT_OURS = ("DJANGO_SETTINGS_MODULE", "REDIS_URL", "DATABASE_URL", "SECRET_KEY", "PUBLIC_URL")


class NotMeasured(Exception):
    """The message is one sentence for whoever asked for the measurement."""


@dataclass(frozen=True, slots=True)
class Product:
    launcher: int
    """Process id; all of the product is below it."""
    environment: dict[str, str]
    """For commands beside it."""


@contextmanager
def product(
    var_dir: Path, extra: Mapping[str, str], before: Sequence[str] = ()
) -> Iterator[Product]:
    """Started and healthy within, stopped after; `before` is a command that runs what follows."""
    environment = _environment(var_dir) | dict(extra)
    with (var_dir / "launcher.out").open("wb") as output:
        launcher = subprocess.Popen(
            # A measurement that is killed takes its product with it.
            [*before, *lifeline.COMMAND, sys.executable, "-m", "convonet.launcher"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_well(launcher, environment["PORT"], var_dir)
        yield Product(launcher.pid, environment)
    finally:
        _stop(launcher)


def _environment(var_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    names = ("PORT", "MCP_PORT", "FLOWER_PORT", "BROKER_PORT")
    return kept | {name: str(ports.any_free()) for name in names} | {"CONVONET_VAR": str(var_dir)}


def _wait_until_well(launcher: subprocess.Popen[bytes], port: str, var_dir: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if launcher.poll() is not None:
            raise NotMeasured(f"Nothing was started: {(var_dir / 'launcher.out').read_text()}")
        if _health(port).get("status") == "ok":
            return
        time.sleep(0.2)
    raise NotMeasured(f"The product was not well within {START_SECONDS:.0f} s: {_health(port)}")


def _health(port: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            body: dict[str, Any] = json.load(response)
            return body
    except (OSError, ValueError):
        return {}


def _stop(launcher: subprocess.Popen[bytes]) -> None:
    """As a Ctrl-C does it; the launcher ends everything below it."""
    if launcher.poll() is None:
        os.killpg(launcher.pid, signal.SIGINT)
    try:
        launcher.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        launcher.kill()
        launcher.wait()
