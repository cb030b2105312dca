"""The memory contract's rows: what is measured for them, what is kept, and how they are judged."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from convonet.load import contract, contract_verdict
from convonet.load.contract_run import Contract
from convonet.load.plan import Plan
from convonet.load.subjects import Subject

SERVERS = ("daphne", "uvicorn")


def window(mb: float, web_cpu: float = 40.0, **group: int) -> dict[str, Any]:
    use = {"used": int(mb * 2**20), "oom_kills": 0, "peak": 0, "refused": 0} | group
    return {
        "mb": {"web": mb / 4, "broker": 4.0},
        "total_mb": mb,
        "most_mb": mb,
        "cpu_percent": {"web": web_cpu, "(machine)": 90.0},
        "cgroup": use,
    }


def run(**more: Any) -> dict[str, Any]:
    figures = {
        **{"dropped": 0, "late_percent": 0.1, "taken_in_time_percent": 99.9},
        "started_in_time_percent": 99.5,
        "whole_overhead_ms": {"median": 20.0, "p99": 90.0},
        "turns": {"missing": 0, "open": 0, "states": {"done": 9}},
    } | more.pop("figures", {})
    stage = {
        **{"wanted": 100, "listening": window(310), "speaking": window(350)},
        "figures": figures,
        "runaway": {"number": 3, "noticed": {"dropped": 0}},
    } | more.pop("stage", {})
    return {
        "plan": {"speak": 600.0, "after": 60.0},
        **{"idle": window(280), "warm": window(300), "after": window(310)},
        "stages": [stage],
        "limit": {"holds": 100, "fails": 125, "first": ["processor: web takes 97 % of a core"]},
        **more,
    }


def failing(row: str, runs: dict[str, Any]) -> list[str]:
    return [v.what for v in contract_verdict.verdicts([row], runs) if v.held is False]


def test_every_row_has_runs_and_no_run_is_made_twice() -> None:
    for servers in (SERVERS, SERVERS[:1]):
        runs = contract.wanted(contract.ROWS, servers)
        assert len({one.name for one in runs}) == len(runs)
        for row in contract.ROWS:
            assert contract.wanted([row], servers), row
        assert set(contract_verdict.grouped({one.name: {} for one in runs})) == set(contract.TITLES)


def test_rows_are_put_in_order_and_unknown_ones_refused() -> None:
    assert contract.rows_of("7,1, 1g") == ("1", "7", "1G")
    with pytest.raises(ValueError, match="'8' is none of"):
        contract.rows_of("8")


def test_rows_2_and_7_are_measured_as_they_are_written() -> None:
    by_name = {one.name: one.plan for one in contract.wanted(["2", "7"], SERVERS)}
    for server in SERVERS:
        calls = by_name[f"calls-{server}"]
        assert (calls.counts, calls.speak, calls.every, calls.think) == ((100,), 600, 10, 1.5)
        assert calls.limit_bytes == 512 << 20
        runaway = by_name[f"runaway-{server}"]
        assert asdict(runaway) == asdict(calls) | {"runaway": 20.0}


def test_a_contract_that_is_kept_holds_in_every_row() -> None:
    names = [one.name for one in contract.wanted(contract.ROWS, SERVERS[:1])]
    runs = dict.fromkeys(names, run())
    listening = {"listening": window(300.2, 39.0), "speaking": window(301.2, 50.0)}
    runs["calls-daphne"] = run(stage=listening)
    runs["idle"] = run(after=window(290))
    for row in contract.ROWS:
        judged = contract_verdict.verdicts([row], runs)
        assert judged, row
        assert failing(row, runs) == [], row
    text = contract_verdict.markdown(contract_verdict.verdicts(contract.ROWS, runs))
    assert len({line.count("|") for line in text.splitlines()}) == 1


@pytest.mark.parametrize(
    ("row", "name", "broken", "words"),
    [
        ("1", "idle", {"idle": window(301)}, "idle, new"),
        ("1", "idle-flower", {"idle": window(381)}, "with Flower"),
        ("2", "calls-daphne", {"figures": {"dropped": 1}}, "calls dropped"),
        ("2", "calls-daphne", {"figures": {"late_percent": 1.1}}, "replies' frames"),
        ("2", "calls-daphne", {"figures": {"taken_in_time_percent": None}}, "callers' frames"),
        ("2", "calls-daphne", {"figures": {"started_in_time_percent": 98.9}}, "within 300 ms"),
        ("2", "calls-daphne", {"stage": {"speaking": window(410)}}, "memory"),
        ("2", "calls-daphne", {"after": window(310, oom_kills=1)}, "OOM kills"),
        ("3", "calls-daphne", {"stage": {"speaking": window(520)}}, "speaking"),
        ("4", "calls-daphne", {"after": window(316)}, "above the warm baseline"),
        ("5", "calls-uvicorn", {"stage": {"listening": window(310, 41.0)}}, "listening"),
        ("6", "turns-daphne", {"figures": {"whole_overhead_ms": None}}, "turn overhead"),
        (
            "7",
            "runaway-daphne",
            {"stage": {"runaway": {"number": 3, "noticed": {"failed": 1}}}},
            "that noticed",
        ),
    ],
)
def test_what_does_not_hold_is_named(
    row: str, name: str, broken: dict[str, Any], words: str
) -> None:
    assert any(words in what for what in failing(row, {name: run(**broken)}))


def test_figures_of_a_hurried_run_judge_nothing() -> None:
    judged = contract_verdict.verdicts(["1"], {"idle": run(idle=window(900), hurried=True)})
    assert {one.held for one in judged} == {None}


def test_what_was_measured_is_not_measured_again(tmp_path: Path) -> None:
    made: list[str] = []

    def measure(chosen: Plan, subject: Subject) -> dict[str, Any]:
        made.append(subject.name)
        return run() | {"plan": {"speak": chosen.speak}}

    def contract_of(*, again: bool = False) -> Contract:
        return Contract(
            tmp_path,
            lambda _: None,
            share=0.0,
            again=again,
            peers_directory=tmp_path,
            measure=measure,
        )

    first = contract_of().measure(["1"], SERVERS)
    assert len(made) == len(first) == 2
    assert contract_of().measure(["1"], SERVERS) == first
    assert len(made) == 2
    contract_of(again=True).measure(["1"], SERVERS)
    assert len(made) == 4


def test_a_shorter_run_does_not_stand_for_a_longer_one(tmp_path: Path) -> None:
    kept = tmp_path / "calls-daphne.json"
    kept.write_text(json.dumps(run(plan={"speak": 120.0})))
    made: list[float] = []

    def measure(chosen: Plan, subject: Subject) -> dict[str, Any]:
        made.append(chosen.speak)
        raise KeyboardInterrupt

    measuring = Contract(tmp_path, lambda _: None, peers_directory=tmp_path, measure=measure)
    measuring.measure(["3"], SERVERS[:1])
    assert made == []
    with pytest.raises(KeyboardInterrupt):
        measuring.measure(["2"], SERVERS[:1])
    assert made == [600.0]
