"""The leak test itself: that it finds each kind of leak, and calls nothing else one."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library

from convonet import census
from convonet.load.leaks import looks, report, verdict
from convonet.load.leaks.run import Leaks
from tests.stack import ROOT

# What lies between two looks of these tests.
CALLS, TURNS = 10, 90


class Leaky:
    """A real process that leaks on command, and looks at it from outside."""

    def __init__(self, directory: Path, broker_url: str) -> None:
        self.database, self.asked = directory / "some.sqlite3", directory / "census"
        self.asked.mkdir()
        with sqlite3.connect(self.database) as made:
            made.execute("CREATE TABLE some (number INTEGER)")
        made.close()
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.convonet.leaky", str(self.database), broker_url],
            cwd=ROOT,
            env={**os.environ, census.VARIABLE: str(self.asked)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.broker = redis_library.Redis.from_url(broker_url)
        assert self._answer() == "ready"
        self._rounds = 0

    def leak(self, kind: str, number: int) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{kind} {number}\n")
        self.popen.stdin.flush()
        assert self._answer() == "done"
        self._rounds += 1

    def look(self, **rows: int) -> dict[str, Any]:
        pid = self.popen.pid
        return {
            "calls": CALLS * self._rounds,
            "turns": TURNS * self._rounds,
            "broker": looks.broker(self.broker),
            "held": looks.held(pid, self.database, {}, self.asked),
            "memory": looks.memory(pid, 1),
            "rows": rows,
        }

    def end(self) -> None:
        self.popen.kill()
        self.popen.communicate()
        self.broker.close()

    def _answer(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()


@pytest.fixture
def leaky(tmp_path: Path, broker: str, redis: redis_library.Redis) -> Iterator[Leaky]:
    process = Leaky(tmp_path, broker)
    yield process
    process.end()


@pytest.mark.service
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_each_kind_of_leak_is_found_and_nothing_else_is_called_one(leaky: Leaky) -> None:
    leaky.look()
    before = leaky.look()
    found = {}
    for kind, number in (
        ("nothing", 1),
        ("passing", 400),
        ("objects", 600),
        ("memory", 300),
        ("descriptors", 40),
        ("threads", 30),
        ("connections", 40),
        ("keys", 20),
    ):
        leaky.leak(kind, number)
        after = leaky.look()
        found[kind] = {one.kind for one in verdict.findings(before, after)}
        before = after
    expected = {"descriptors": "file descriptors", "keys": "keys without a lifetime"}
    for kind, kinds in found.items():
        assert kind in ("nothing", "passing") or expected.get(kind, kind) in kinds, found
    # What of a library's pages is this process's depends on who else runs here.
    alone = {kind: kinds - {"memory"} for kind, kinds in found.items()}
    assert alone["nothing"] == alone["passing"] == alone["memory"] == set()
    assert alone["objects"] == {"objects"}
    assert alone["keys"] == {"keys without a lifetime"}
    assert alone["descriptors"] == {"file descriptors"}


@pytest.mark.service
def test_a_process_that_would_be_ended_by_the_question_is_not_asked(tmp_path: Path) -> None:
    deaf = subprocess.Popen(["sleep", "60"])
    try:
        assert looks.census_of(deaf.pid, tmp_path) is None
        assert deaf.poll() is None
    finally:
        deaf.kill()
        deaf.wait()


def test_without_its_variable_no_process_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(census.VARIABLE, raising=False)
    before = signal.getsignal(census.SIGNAL)
    census.answer_when_asked()
    assert signal.getsignal(census.SIGNAL) is before


def test_a_census_counts_what_is_alive() -> None:
    class Counted:
        pass

    kept = [Counted() for _ in range(7)]
    name = f"{__name__}.{Counted.__qualname__}"
    assert census.take()["types"][name] == len(kept)
    kept.clear()
    assert name not in census.take()["types"]


def test_rows_that_a_turn_leaves_on_purpose_are_no_leak_and_others_are() -> None:
    before, after = _look(0, 0, voice_turn=10), _look(10, 100, voice_turn=200)
    assert verdict.findings(before, after) == []
    after = _look(10, 100, voice_turn=10, voice_checkpoint=1, todo_todo=1)
    assert {one.where for one in verdict.findings(before, after)} == {
        "voice_checkpoint",
        "todo_todo",
    }


def test_memory_may_be_two_percent_more_in_all_and_two_megabytes_in_a_small_process() -> None:
    before, after = _look(0, 0), _look(10, 100)
    before["memory"] = {"web": {"pss": 100 * 1024}, "mcp": {"pss": 30 * 1024}}
    after["memory"] = {"web": {"pss": 101 * 1024}, "mcp": {"pss": 31 * 1024 + 500}}
    assert verdict.findings(before, after) == []
    after["memory"]["mcp"]["pss"] += 600
    after["memory"]["mcp"]["processes"] = 1
    assert [one.where for one in verdict.findings(before, after)] == ["all processes", "mcp"]


def test_a_slow_rise_shows_in_the_slope() -> None:
    assert verdict.slope([(0, 100), (1, 103), (2, 106)]) == pytest.approx(3)
    assert verdict.slope([(1, 100)]) == 0


def test_the_rounds_are_the_whole_together() -> None:
    plan = Leaks(calls=105, turns=1003, rounds=4)
    rounds = [plan.of_round(number) for number in range(plan.rounds)]
    assert [sum(part) for part in zip(*rounds, strict=True)] == [52, 53, 1003]


def test_the_report_names_what_grew() -> None:
    before, after = _look(10, 100), _look(20, 200)
    after["rows"]["todo_todo"] = 5
    told = {
        "at": "2026-11-22T12:00:00+00:00",
        "seconds": 60,
        "machine": {"cores": 2, "python": "3.11"},
        "limit_bytes": 512 << 20,
        "cgroup": {"oom_kills": 0},
        "looks": [before, after],
        "faults": ["a turn was failed"],
        "findings": [str(one) for one in verdict.findings(before, after)],
    }
    said = report.markdown(json.loads(json.dumps(told)))
    assert "rows of todo_todo: 0 -> 5 (+5, allowed +0)" in said
    assert "Something is left" in said
    assert "not well: a turn was failed" in said
    told["findings"] = []
    assert "**Nothing is left.**" in report.markdown(told)


# Starts a product of its own, for some minutes.
@pytest.mark.soak
@pytest.mark.service
@pytest.mark.timeout(1200)
def test_a_few_calls_and_turns_leave_nothing(tmp_path: Path) -> None:
    file = tmp_path / "leaks.json"
    options = "--calls 90 --turns 900 --rounds 3 --rest 5 --set CONVONET_PROFILE=small"
    done = subprocess.run(
        [sys.executable, "-m", "convonet.load.leaks", *options.split(), "--json", str(file)],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=1100,
        check=False,
    )
    told = json.loads(file.read_text())
    assert told["looks"][-1]["turns"] == 900
    assert told["looks"][-1]["calls"] == 90
    assert (done.returncode, told["findings"], told["faults"]) == (0, [], []), done.stdout
    assert list(tmp_path.glob("leaks-*/")) == []


def _look(calls: int, turns: int, **rows: int) -> dict[str, Any]:
    held = {"web": {"pids": [1], "fds": 20, "threads": 3, "peers": {"broker": 5}}}
    return {
        "calls": calls,
        "turns": turns,
        "memory": {"web": {"pss": 90_000}},
        "held": held,
        "broker": {"lasting": {}, "passing": {}, "used_bytes": 2 << 20},
        "rows": dict(rows),
    }
