"""The graph's shapes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from monitor import graph
from monitor.history import Bucket, History

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MB = 1024.0


def history(*buckets: Bucket) -> History:
    buckets[0].most = round(80 * MB)
    return History(NOW - timedelta(hours=1), NOW, list(buckets), {}, 0)


def points(path: str) -> list[list[tuple[float, float]]]:
    shapes = [shape for shape in path.split("M") if shape]
    return [
        [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", shape)]
        for shape in shapes
    ]


def test_roles_stand_on_each_other_in_their_order() -> None:
    bucket = Bucket({"mcp": 20 * MB, "web": 40 * MB}, calls=2)
    drawn = graph.draw(history(bucket, bucket))
    assert [area.role for area in drawn.areas] == ["web", "mcp"]
    web, mcp = (points(area.path)[0] for area in drawn.areas)
    # 60 MB of 80: web from the bottom to a half, the tool server to three quarters.
    assert {y for _, y in web} == {50, 100}
    assert {y for _, y in mcp} == {25, 50}
    assert (min(x for x, _ in web), max(x for x, _ in web)) == (0, 2)
    assert points(drawn.calls) == [[(0, 50), (1, 50), (1, 50), (2, 50)]]
    assert [tick.label for tick in drawn.levels] == ["0", "20", "40", "60", "80"]
    assert [tick.calls for tick in drawn.levels] == ["0", "1", "2", "3", "4"]


def test_a_time_without_looks_stays_empty() -> None:
    seen = Bucket({"web": 40 * MB}, calls=1)
    drawn = graph.draw(history(seen, Bucket(), Bucket(), seen))
    first, second = points(drawn.areas[0].path)
    assert max(x for x, _ in first) == 1
    assert min(x for x, _ in second) == 3
    assert len(points(drawn.calls)) == 2
    assert [spot.x for spot in drawn.spots] == [0, 3]


def test_a_role_that_comes_later_leaves_those_above_it_whole() -> None:
    drawn = graph.draw(
        history(
            Bucket({"web": 40 * MB, "mcp": 20 * MB}),
            Bucket({"web": 40 * MB, "mcp": 20 * MB, "agent": 20 * MB}),
        )
    )
    agent = next(area for area in drawn.areas if area.role == "agent")
    mcp = next(area for area in drawn.areas if area.role == "mcp")
    assert {y for x, y in points(agent.path)[0] if x < 1} == {50}
    assert {y for x, y in points(mcp.path)[0] if x > 1} == {0, 25}
    assert drawn.calls == ""


def test_what_is_allowed_and_where_no_more_calls_are_taken_are_lines() -> None:
    limits = graph.Limits(200 * 1024, 160 * 1024)
    drawn = graph.draw(history(Bucket({"web": 80 * MB})), limits=limits)
    assert drawn.levels[-1].label == "200"
    assert [(one.kind, one.percent, one.y, one.label) for one in drawn.limits] == [
        ("admission", 80, 20, "new calls below 160"),
        ("allowance", 100, 0, "allowed 200"),
    ]


def test_an_allowance_far_above_what_is_used_flattens_nothing() -> None:
    limits = graph.Limits(24_000 * 1024, 23_600 * 1024)
    drawn = graph.draw(history(Bucket({"web": 60 * MB})), limits=limits)
    assert drawn.limits == []
    assert drawn.levels[-1].label == "80"


@pytest.mark.parametrize(
    ("value", "top"), [(0, 4), (3, 4), (5, 8), (60, 80), (81, 100), (755, 800), (801, 1000)]
)
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert graph.nice(value) == top


@pytest.mark.parametrize(("calls", "top"), [(1, 4), (9, 20), (100, 200)])
def test_there_are_no_halves_of_calls(calls: int, top: float) -> None:
    drawn = graph.draw(history(Bucket({"web": MB}, calls=calls)))
    assert drawn.levels[-1].calls == f"{top:g}"
    assert all("." not in tick.calls for tick in drawn.levels)


def test_words_for_who_points_and_for_who_does_not_see() -> None:
    drawn = graph.draw(history(Bucket({"web": 60 * MB}, calls=1), Bucket({"web": 40 * MB})))
    assert [spot.words for spot in drawn.spots] == ["11:00: 60 MB, 1 call", "11:30: 40 MB"]
    assert drawn.told == "At most 80 MB, and 1 call at once."
    assert [tick.label for tick in drawn.times] == ["11:00", "11:15", "11:30", "11:45", "12:00"]
