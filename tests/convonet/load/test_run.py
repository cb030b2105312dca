"""That `make bench` measures a real product, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convonet.load import report
from tests.stack import ROOT


# Starts a product of its own, for half a minute.
@pytest.mark.soak
@pytest.mark.service
def test_two_calls_are_measured_and_nothing_is_left(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    told = "--calls 2 --browser 50 --idle 0.5 --warm 0 --listen 0.5 --after 0.5"
    told += " --seconds 2.5 --every 2 --think 0.2"
    done = subprocess.run(
        [sys.executable, "-m", "convonet.load", *told.split(), "--json", str(file)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads(file.read_text())
    assert done.stdout == report.markdown(runs)
    (figures,) = runs
    (stage,) = figures["stages"]
    measured = stage["figures"]
    assert (measured["up"], measured["dropped"], measured["faults"]) == (2, 0, [])
    assert measured["said"] >= 2
    assert measured["turns"]["missing"] == measured["turns"]["too_many"] == 0
    assert measured["turns"]["states"].get("done", 0) >= 1
    assert measured["overhead_ms"]["number"] >= 1
    assert measured["whole_overhead_ms"]["number"] >= 1
    assert measured["start_ms"]["number"] >= 1
    assert measured["taken"]["frames"] > 0
    assert measured["frames"] > 50
    assert {"web", "agent child", "broker", "mcp"} <= stage["speaking"]["mb"].keys()
    assert figures["calls"]["reasons"] == {"hung up": 2}
    assert list(tmp_path.glob("bench-*")) == []
