"""Tables, and what the kernel says of a memory cgroup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convonet.load import report, runaway_figures, verdict
from convonet.load.__main__ import written
from convonet.load.cgroup import Group, Use
from tests.convonet.load.builders import call, stage, taken, turn


def run_of(name: str = "daphne", **more: Any) -> dict[str, Any]:
    one = stage() | {"gives_way": []}
    told_runaway = runaway_figures.of_stage(taken([call()], [turn()]), [], {}, 0.6)
    one["runaway"] = told_runaway | {"counted": {"memory_errors": 2}}
    return {
        "at": "2026-01-02T03:04:05+00:00",
        "machine": {"cores": 2, "python": "3.11"},
        "subject": {"name": name, "told": "the product behind Daphne"},
        "plan": {
            **{"counts": [1], "browser_percent": 0, "speak": 60.0, "every": 10.0, "think": 1.5},
            **{"tool_percent": 20, "local": False, "limit_bytes": 512 << 20, "settings": ["A"]},
            **{"runaway": 20.0, "after": 60.0},
        },
        **{"idle": one["speaking"], "warm": one["speaking"], "after": one["speaking"]},
        "stages": [one],
        "calls": {"number": 1, "reasons": {"hung up": 1}, "dropped_chunks": 0},
        "limit": verdict.limit([one]),
        **more,
    }


def test_every_table_is_whole() -> None:
    text = report.markdown([run_of(), run_of("pipecat-bare")])
    assert "All holds up to 1 calls" in text
    assert "memory cgroup of 512 mb" in text.lower()
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("| ")]
    assert len(tables) == 1 + 2 * 5
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1, lines


def test_a_table_takes_the_place_of_the_run_of_its_name() -> None:
    text = written(written("# Bench\n", "512M", "old\n"), "1G", "other\n")
    assert written(text, "512M", "new\n") == text.replace("old", "new")
    assert text.startswith("# Bench\n")


def test_both_versions_are_read(tmp_path: Path) -> None:
    second, first = tmp_path / "2", tmp_path / "1"
    for path, files in {
        second: {
            "memory.stat": "inactive_file 10\nactive_file 5\nfile_mapped 5\n",
            "memory.current": "110\n",
            "memory.peak": "200\n",
            "memory.events": "max 7\noom 3\noom_kill 2\n",
        },
        first: {
            "memory.stat": "inactive_file 1\ntotal_inactive_file 10\ntotal_active_file 5\n"
            "total_mapped_file 5\n",
            "memory.usage_in_bytes": "110\n",
            "memory.max_usage_in_bytes": "200\n",
            "memory.failcnt": "4\n",
            "memory.memsw.failcnt": "3\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        },
    }.items():
        path.mkdir()
        for name, content in files.items():
            (path / name).write_text(content)
    expected = Use(used=100, charged=110, peak=200, refused=7, oom_kills=2)
    assert Group(second, 2).use() == Group(first, 1).use() == expected
