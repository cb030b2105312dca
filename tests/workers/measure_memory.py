"""`python -m tests.workers.measure_memory`: what each language provider adds to an idle worker.

Starts an agent worker with two children for one provider after the other and prints the PSS of its
processes as a table for docs/providers.md. Nobody is asked anything, so any key will do.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
import redis

from tests.services import running_broker
from tests.workers.processes import ToolServer, Worker

CHILDREN = 2
KEYS = {
    "ANTHROPIC_API_KEY": "none",
    "GOOGLE_API_KEY": "none",
    "OPENAI_API_KEY": "none",
    "COMPATIBLE_URL": "http://127.0.0.1:9/v1",
}
PROVIDERS = ["local", "anthropic", "google", "openai", "compatible", "anthropic,google,openai"]
# Sizes that differ by less have come to rest.
STEADY_MB = 0.3
STEADY_SECONDS = 2.0
MOST_SECONDS = 60.0

Sizes = tuple[float, list[float]]


def main(names: list[str]) -> None:
    print("| `LANGUAGE_MODEL` | parent | each child | together | more than `local` alone |")
    print("|---|---|---|---|---|")
    base: float | None = None
    for name in names or PROVIDERS:
        parent, children = measured(name)
        together = parent + sum(children)
        base = together if base is None else base
        child = sum(children) / len(children)
        more = f"{together - base:.0f}" if together != base else ""
        print(f"| `{name}` | {parent:.0f} | {child:.0f} | {together:.0f} | {more} |", flush=True)


def measured(name: str) -> Sizes:
    with tempfile.TemporaryDirectory() as place, running_broker(Path(place)) as broker:
        server = ToolServer(Path(place)).start()
        own = {"LANGUAGE_MODEL": name, "REDIS_URL": broker, "MCP_URL": server.url}
        own |= {"CONVONET_VAR": place, "DJANGO_SETTINGS_MODULE": "convonet.settings"}
        worker = Worker("agent", os.environ | KEYS | own, Path(place) / "log", children=CHILDREN)
        try:
            with redis.Redis.from_url(broker) as client:
                worker.wait_ready(client)
            return steady(worker.popen.pid)
        finally:
            worker.stop()
            server.stop()


def steady(pid: int) -> Sizes:
    """The sizes once they rest."""
    deadline = time.monotonic() + MOST_SECONDS
    last: Sizes | None = None
    while time.monotonic() < deadline:
        time.sleep(STEADY_SECONDS)
        now = sizes(pid)
        if last and len(now[1]) == CHILDREN and abs(_sum(now) - _sum(last)) < STEADY_MB:
            return now
        last = now
    raise SystemExit("The worker's memory does not come to rest.")


def sizes(pid: int) -> Sizes:
    """PSS of the parent and its children, in MB of 10^6 bytes."""
    parent = psutil.Process(pid)
    children = [child.memory_full_info().pss / 1e6 for child in parent.children()]
    return parent.memory_full_info().pss / 1e6, children


def _sum(sizes: Sizes) -> float:
    return sizes[0] + sum(sizes[1])


if __name__ == "__main__":
    main(sys.argv[1:])
