"""`manage.py memory`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.management import call_command

from monitor import client, processes, table, words
from monitor.board import State
from tests.monitor.made import reading, snapshot


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """This very process as the product's web process, and another machine."""
    own = psutil.Process()
    monkeypatch.setattr(processes, "found", lambda launcher: [(own, "web")])
    other = snapshot(reading("speech", 7, pss=300 * 1024, base=100 * 1024), host="other")
    state = State(snapshots=[other], calls=4, counters={"fillers": 12})
    monkeypatch.setattr(client, "state", lambda: state)


def test_once_and_plain_when_piped(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("memory", "--once")
    said = capsys.readouterr().out
    assert "\033" not in said
    assert "4 calls in progress" in said
    assert "12  Callers told to wait a moment" in said
    assert "Profile medium, because CONVONET_PROFILE asks for it: 3 agent children" in said
    rows = [line.split() for line in said.splitlines()]
    assert ["speech", "7", "300", "1.0", "4.0", "+200"] in [row[:6] for row in rows]
    web = next(row for row in rows if row[:1] == ["web"])
    assert int(web[1]) == psutil.Process().pid
    assert float(web[4].replace(",", "")) > 20


def test_as_json(here: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("memory", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["calls"] == 4
    machines = {machine["host"]: machine for machine in told["machines"]}
    assert machines["other"]["size"] == 300 * 1024
    (own,) = next(machine for name, machine in machines.items() if name != "other")["readings"]
    assert own["rss"] > 20 * 1024


def test_where_nothing_runs_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(processes, "found", lambda launcher: [])
    with pytest.raises(SystemExit):
        call_command("memory", "--once")
    assert "Nothing of the product runs here" in capsys.readouterr().err


def test_lines_of_a_terminal_are_styled_and_no_wider_than_one() -> None:
    machine = snapshot(reading("agent child", 1234567, pss=1200 * 1024, base=0, rss=2000 * 1024))
    styled = table.lines([machine], None, machine.at, styled=True)
    plain = table.lines([machine], None, machine.at, styled=False)
    assert any("\033[1m" in line for line in styled)
    assert max(map(len, plain[:4])) <= 80
    assert "The broker does not answer." in plain


@pytest.mark.parametrize(
    ("kib", "told"),
    [
        (None, "–"),
        (0, "0.0"),
        (20, "0.0"),
        (102_390, "+100"),
        (-20, "0.0"),
        (1536, "+1.5"),
        (-204800, "−200"),
    ],
)
def test_growth_in_words(kib: int | None, told: str) -> None:
    assert words.growth(kib) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-1, "0 s"), (59, "59 s"), (61, "1 min"), (11_100, "3 h 05"), (353_000, "4 d 02 h")],
)
def test_age_in_words(seconds: float, told: str) -> None:
    assert words.age(seconds) == told
