"""The arithmetic of `make overhead`, and that a turn leaves every mark it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convonet.overhead import legs, report
from tests.stack import ROOT

MS = 1_000_000


def marks(turn: str, **at_ms: float) -> list[str]:
    return [f"{place.replace('_', ' ')} {turn} {int(at * MS)}" for place, at in at_ms.items()]


def test_a_leg_lasts_from_the_place_before_it() -> None:
    ways = legs.read(marks("a", ended=10, row=12, model_asked=17, sent=20))
    measured = {leg.name: leg.median for leg in legs.legs([*ways.values()])}
    assert measured == {"row": 2.0, "model asked": 5.0, "sent": 3.0, "total": 10.0}


def test_only_the_first_mark_of_a_place_counts() -> None:
    ways = legs.read([*marks("a", sent=20), *marks("a", sent=15)])
    assert ways == {"a": {"sent": 15 * MS}}


def test_a_turn_without_its_first_sound_is_not_measured() -> None:
    ways = legs.read([*marks("a", ended=1, sent=3), *marks("b", ended=1, row=2)])
    assert legs.whole(ways, ["a", "b", "c"]) == [ways["a"]]


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 201)]
    assert legs.quantile(values, 0.5) == 100
    assert legs.quantile(values, 0.99) == 198
    assert legs.quantile([7.0], 0.99) == 7.0


@pytest.mark.service
def test_a_measured_product_reports_every_leg(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    asked = ["--calls", "1", "--turns", "1", "--warm", "1", "--tool", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "convonet.overhead", *asked],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    places = [name for name, _ in legs.PLACES[1:]]
    assert [leg["name"] for leg in figures["legs"]] == [*places, "total"]
    assert (figures["turns"], figures["unanswered"]) == (1, 0)
    assert done.stdout == report.table(figures)
