"""When the next look is due, and whose it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from monitor.pace import QUIET_SECONDS, SETTLE_SECONDS, Pace, Turn
from monitor.snapshot import CALLS, CLOCK


def test_the_clock_goes_on_from_each_look() -> None:
    pace = Pace(30, now=100)
    assert (pace.due(99.9), pace.due(100)) == ("", CLOCK)
    assert pace.wait(110) == 20
    # A machine that slept for an hour owes one look and not a hundred.
    assert (pace.due(3700), pace.due(3700.1)) == (CLOCK, "")
    assert pace.wait(3700) == 30


def test_a_call_is_looked_at_once_it_has_begun() -> None:
    pace = Pace(30, now=100)
    pace.due(100)
    pace.nudged(110)
    assert pace.due(110) == ""
    assert pace.due(110 + SETTLE_SECONDS) == CALLS
    assert pace.due(111) == ""
    assert pace.wait(111) == 19


def test_a_hundred_calls_at_once_cost_two_looks() -> None:
    pace = Pace(30, now=100)
    pace.due(100)
    looks = []
    for tenth in range(100):
        now = 110 + tenth / 10
        pace.nudged(now)
        if pace.due(now):
            looks.append(now)
    assert len(looks) == 2
    assert looks[1] - looks[0] >= QUIET_SECONDS


def test_the_last_of_many_calls_is_not_forgotten() -> None:
    pace = Pace(30, now=100)
    pace.due(100)
    pace.nudged(101)
    assert pace.wait(101) == 4
    assert pace.due(105) == CALLS


def note(path: Path, rank: int, pid: int) -> None:
    path.write_text(json.dumps({"rank": rank, "pid": pid}))


def test_the_lowest_rank_that_lives_looks(tmp_path: Path) -> None:
    path = tmp_path / "looked"
    beat, web = Turn(path, 0, 75), Turn(path, 3, 75)
    assert web.is_mine()
    note(path, 3, pid=1)
    assert beat.is_mine()
    assert json.loads(path.read_text()) == {"rank": 0, "pid": os.getpid()}
    note(path, 0, pid=1)
    assert not web.is_mine()
    assert json.loads(path.read_text()) == {"rank": 0, "pid": 1}


def test_of_two_alike_the_first_looks(tmp_path: Path) -> None:
    path = tmp_path / "looked"
    note(path, 3, pid=1)
    assert not Turn(path, 3, 75).is_mine()


def test_successor_of_one_that_died_looks_at_once(tmp_path: Path) -> None:
    path = tmp_path / "looked"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    note(path, 3, pid=ended.pid)
    assert not Turn(path, 4, 75).is_mine()
    assert Turn(path, 3, 75).is_mine()


def test_who_has_not_looked_for_long_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "looked"
    note(path, 0, pid=1)
    long_ago = path.stat().st_mtime - 100
    os.utime(path, (long_ago, long_ago))
    assert Turn(path, 3, 75).is_mine()


def test_a_note_that_cannot_be_read_or_written_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "looked"
    path.write_text("half of a n")
    assert Turn(path, 3, 75).is_mine()
    assert Turn(tmp_path / "no such directory" / "looked", 3, 75).is_mine()
