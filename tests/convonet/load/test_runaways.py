"""Tools that run away: whom they are given to, what they do, and who notices."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings

from convonet.load import plan, runaway_figures, runaway_tools
from convonet.load.figures import Turned
from tests.convonet.load.builders import call, taken, turn
from tests.stack import ROOT

MEET_CEILING = """
from convonet import memory
import django
django.setup()
from convonet.load import runaway_tools
memory.limit_growth(64)
try:
    runaway_tools.take_memory(None, None)
except MemoryError:
    print("ceiling")
"""


def turned(ended: float, asked: float) -> Turned:
    return Turned(ended, None, asked, None, None, ())


def test_only_the_bench_gives_a_product_tools_that_run_away() -> None:
    assert not any("runaway" in path for path in settings.TOOLSETS)
    chosen = plan.Plan(runaway=20.0)
    told = plan.environment(chosen, "http://127.0.0.1:1", "/marks")
    assert told["EXTRA_TOOLSETS"] == "convonet.load.runaway_tools.TOOLS"
    assert "EXTRA_TOOLSETS" not in plan.environment(plan.Plan(), "http://127.0.0.1:1", "/marks")


def test_each_kind_has_a_tool_and_a_line_of_its_own() -> None:
    assert tuple(tool.name for tool in runaway_tools.TOOLS) == plan.RUNAWAYS
    assert set(plan.RUNAWAY_LINES) == set(plan.RUNAWAYS)
    assert len(set(plan.RUNAWAY_LINES.values())) == len(plan.RUNAWAYS)


def test_a_tool_that_takes_memory_ends_at_its_process_ceiling() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEET_CEILING],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout == "ceiling\n", done.stderr


def of_stage(**more: Any) -> dict[str, Any]:
    runaways = [
        {"number": 0, "key": "r0", "up": True, "began": 100.0, "ended": 103.0, "answered": True},
        {"number": 1, "key": "r1", "up": False},
    ]
    turns = more.pop("turns", [turn("t", "a")])
    told = {**taken([call("a", **more)], turns), "runaways": runaways}
    every = [turned(101.0, 101.7), turned(50.0, 50.62)]
    return runaway_figures.of_stage(told, every, {}, silence=0.6)


def test_turns_during_a_runaway_are_told_from_the_others() -> None:
    told = of_stage()
    assert told["start_ms_within"]["median"] == 100.0
    assert told["start_ms_beside"]["median"] == 20.0
    assert told["kinds"]["runaway_memory"] == {
        **{"calls": 1, "answered": 1, "refused": 0, "most_seconds": 3.0}
    }
    assert told["kinds"]["runaway_answer"]["refused"] == 1
    assert runaway_figures.any_noticed(told) == 0


def test_a_call_that_lost_anything_has_noticed_and_the_one_that_ran_away_has_not() -> None:
    assert runaway_figures.any_noticed(of_stage(dropped=1)) == 1
    failed = [turn("t", "a", state="failed"), turn("u", "r0", state="failed")]
    assert of_stage(turns=failed)["noticed"]["failed"] == 1
    assert runaway_figures.any_noticed(of_stage(lost_ms=20)) == 1


def test_only_sound_that_was_late_meanwhile_counts() -> None:
    gaps = [["1", 105.0, 3], ["1", 300.0, 5]]
    assert of_stage(gaps=gaps)["late_frames_within"] == 3
