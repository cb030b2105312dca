"""Real worker and tool server processes for tests, on the broker and database of the test run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import redis as redis_library

from convonet import ports
from tests.stack import ROOT, wait_until
from voice import keys

# As in the Procfile.
QUEUES = {"agent": "agent,chores"}


class Process:
    """A child of the test run with its output in a file."""

    def __init__(self, arguments: list[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=dict(env),
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def descendants(self) -> list[psutil.Process]:
        below: list[psutil.Process] = psutil.Process(self.popen.pid).children(recursive=True)
        return below

    def stop(self, with_signal: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(with_signal)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class ToolServer:
    """`tests.workers.tool_server`, which may be killed and started again on the same port."""

    def __init__(self, directory: Path) -> None:
        self.port = ports.any_free()
        self.directory = directory
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def effects(self) -> list[str]:
        file = self.directory / "effects"
        return file.read_text().splitlines() if file.exists() else []

    def start(self) -> ToolServer:
        arguments = ["tests.workers.tool_server", str(self.port), str(self.directory)]
        self._process = Process(arguments, os.environ, self.directory / "server.log")
        wait_until(self._answers, 60, "the tool server answers")
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(signal.SIGKILL)

    @property
    def dead(self) -> bool:
        return self._process is None or self._process.popen.poll() is not None

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=1)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


class TodoServer(Process):
    """The product's own tool server, `manage.py mcp`."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self.port = ports.any_free()
        super().__init__(["manage", "mcp"], {**env, "MCP_PORT": str(self.port)}, log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"


class Worker(Process):
    """One `celery worker` of one role."""

    def __init__(
        self,
        role: str,
        env: Mapping[str, str],
        log: Path,
        *,
        children: int = 1,
        options: list[str] | None = None,
    ) -> None:
        self.role = role
        arguments = [
            "celery",
            "-A",
            "convonet",
            "worker",
            "-Q",
            QUEUES.get(role, role),
            "-c",
            str(children),
        ]
        arguments += ["-n", f"{role}-{os.getpid()}-{id(self)}@%h", "--without-gossip"]
        super().__init__([*arguments, "--without-mingle", *(options or [])], env, log)

    def state(self, redis: redis_library.Redis) -> dict[str, Any] | None:
        """Its heartbeat, or None while there is none."""
        value = redis.get(keys.heartbeat(self.role))
        state = json.loads(value) if value else None
        return state if state and state["pid"] == self.popen.pid else None

    def wait_ready(self, redis: redis_library.Redis) -> Worker:
        def ready() -> bool:
            assert self.popen.poll() is None, self.output[-3000:]
            return self.state(redis) is not None

        wait_until(ready, 60, f"the {self.role} worker beats")
        return self
