"""The tool server that the agent worker forks: it serves, comes back, and goes with its worker."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from convonet import ports
from convonet.memory import VOLUNTEER_SCORE
from tests.stack import TOOLS_TITLE, titled, wait_until
from tests.workers.conftest import Caller
from tests.workers.processes import Worker, alive
from workers.offspring import MOST_DELAY_SECONDS, STEADY_SECONDS, Patience


def test_who_keeps_ending_is_started_ever_more_slowly_and_forgiven_when_steady() -> None:
    patience = Patience()
    delays = [patience.delay(0.0) for _ in range(9)]
    assert delays[:4] == [0.0, 0.2, 0.4, 0.8]
    assert delays[-1] == MOST_DELAY_SECONDS
    assert patience.delay(STEADY_SECONDS) == 0.0


class Serving:
    """A worker that serves the tools, and how to ask them."""

    def __init__(self, start: Callable[..., Worker]) -> None:
        port = str(ports.any_free())
        self.url = f"http://127.0.0.1:{port}"
        env = {"TOOLS_IN_WORKER": "1", "MCP_PORT": port, "MCP_URL": f"{self.url}/mcp"}
        self.worker = start("agent", **env)

    def tools(self) -> list[psutil.Process]:
        below = psutil.Process(self.worker.popen.pid).children()
        return [one for one in below if titled(one) == TOOLS_TITLE]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                return bool(json.load(response)["status"] == "ok")
        except OSError:
            return False

    def wait_serving(self) -> psutil.Process:
        wait_until(self.answers, 60, "the tools are served")
        (server,) = self.tools()
        return server


@pytest.fixture
def serving(start_worker: Callable[..., Worker]) -> Serving:
    return Serving(start_worker)


@pytest.mark.service
def test_a_tool_server_that_is_killed_is_forked_again(serving: Serving, caller: Caller) -> None:
    first = serving.wait_serving()
    assert Path(f"/proc/{first.pid}/oom_score_adj").read_text().strip() == str(VOLUNTEER_SCORE)
    assert first.rlimit(psutil.RLIMIT_DATA)[0] > 0, "no ceiling"
    first.kill()
    wait_until(lambda: not alive(first), 60, "it is gone")
    second = serving.wait_serving()
    assert second.pid != first.pid
    # None of the parent's own files and sockets is still held.
    held = {os.readlink(path) for path in Path(f"/proc/{second.pid}/fd").iterdir()}
    assert not any("pipe:" in name for name in held - std_streams(second.pid))

    serving.worker.stop(signal.SIGKILL)
    wait_until(lambda: not alive(second), 60, "it has gone with its worker")
    assert not serving.answers()


def std_streams(pid: int) -> set[str]:
    return {os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)}


@pytest.mark.service
def test_a_worker_that_is_stopped_stops_its_tool_server(serving: Serving) -> None:
    server = serving.wait_serving()
    assert serving.worker.stop() == 0
    assert not alive(server)
    assert "program ended" not in serving.worker.output
