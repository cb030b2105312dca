"""What is kept of each look, for how long, and what a graph makes of it. Run on PostgreSQL too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor import history, samples
from monitor.history import PERIODS, bucketed
from monitor.models import MemorySample
from monitor.snapshot import CALLS
from tests.monitor.made import reading, snapshot

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ago(**values: float) -> float:
    return (NOW - timedelta(**values)).timestamp()


def test_a_look_is_a_row_with_its_sums_by_role() -> None:
    web, one, two = (
        reading("web", 1, pss=4000, base=3000),
        reading("agent child", 2, pss=None, rss=500),
        reading("agent child", 3, pss=700, base=900),
    )
    samples.keep([snapshot(web, one, two, calls=4, at=ago(minutes=1))], {"fillers": 3})
    row = MemorySample.objects.get()
    assert (row.host, row.why, row.calls, row.size) == ("one", "clock", 4, 5200)
    assert row.at == NOW - timedelta(minutes=1)
    assert (row.limit, row.used, row.oom_kills) == (512 * 1024, 256 * 1024, 2)
    assert row.roles == {"web": [1, 4000, 1000], "agent child": [2, 1200, -200]}
    assert row.processes[0] == [1, "web", 1000, 4096, 1024, 4000, 3000]
    assert row.counters == {"fillers": 3}


def test_what_is_kept_twice_is_one_row() -> None:
    seen = snapshot(reading(), at=ago(minutes=1))
    other = snapshot(reading(), host="two", at=ago(minutes=1), calls=None)
    samples.keep([seen], {})
    samples.keep([seen, other], {})
    kept = MemorySample.objects.order_by("host").values_list("host", "calls")
    assert list(kept) == [("one", 0), ("two", None)]


def test_old_looks_go_and_those_at_calls_sooner(settings: Any) -> None:
    settings.MEMORY_HOURS = 48
    for hours in (1, 7, 47, 49):
        samples.keep(
            [snapshot(at=ago(hours=hours)), snapshot(at=ago(hours=hours) + 1, why=CALLS)], {}
        )
    assert samples.purge(NOW) == 4
    left = MemorySample.objects.order_by("at").values_list("at", "why")
    assert [(round((NOW - at) / HOUR), why) for at, why in left] == [
        (47, "clock"),
        (7, "clock"),
        (1, "clock"),
        (1, "calls"),
    ]


def test_no_more_than_a_batch_goes_at_once() -> None:
    old = ago(hours=100)
    samples.keep([snapshot(at=old + number) for number in range(samples.BATCH + 5)], {})
    assert samples.purge(NOW) == samples.BATCH
    assert samples.purge(NOW) == 5


def test_a_period_sums_up_machines_and_tells_what_was_counted_within() -> None:
    for minutes, total in ((50, 7), (30, 9), (10, 12)):
        at = ago(minutes=minutes)
        samples.keep(
            [
                snapshot(reading("web", pss=1000), at=at, calls=minutes),
                snapshot(reading("agent", pss=500), host="two", at=at + 5, calls=minutes),
            ],
            {"fillers": total},
        )
    samples.keep([snapshot(reading("web", pss=9), at=ago(hours=2))], {"fillers": 1})
    past = history.of(PERIODS[0], NOW)
    full = [bucket for bucket in past.buckets if bucket.sizes]
    assert [bucket.sizes for bucket in full] == [{"web": 1000, "agent": 500}] * 3
    assert [bucket.calls for bucket in full] == [50, 30, 10]
    assert past.counted == {"fillers": 5}
    assert [b.sizes for b in history.of(PERIODS[0], NOW, "two").buckets if b.sizes] == [
        {"agent": 500}
    ] * 3


def test_counts_that_began_anew_are_not_negative() -> None:
    samples.keep([snapshot(at=ago(minutes=20))], {"fillers": 90})
    samples.keep([snapshot(at=ago(minutes=10))], {"fillers": 2, "calls_refused": 1})
    assert history.of(PERIODS[0], NOW).counted == {"fillers": 2, "calls_refused": 1}


def test_the_long_period_leaves_no_machine_out() -> None:
    rows = [
        snapshot(reading("web", pss=100), host=host, at=ago(seconds=30 * number + 1))
        for number in range(60)
        for host in ("one", "two")
    ]
    samples.keep(rows, {})
    past = history.of(PERIODS[2], NOW)
    assert [bucket.sizes for bucket in past.buckets if bucket.sizes] == [{"web": 200}] * 2


def test_a_bucket_holds_means_and_the_most_calls() -> None:
    looks: list[Any] = [
        (NOW, "one", 1, {"web": [1, 100, 0]}),
        (NOW + timedelta(seconds=20), "one", 9, {"web": [1, 300, 0]}),
        (NOW + timedelta(seconds=30), "one", None, {"web": [1, 200, 0], "mcp": [1, 30, 0]}),
        (NOW + timedelta(seconds=70), "one", None, {"web": [1, 700, 0]}),
    ]
    first, second, third = bucketed(looks, NOW, timedelta(minutes=1), 3)
    assert (first.sizes, first.calls) == ({"web": 200, "mcp": 10}, 9)
    assert (second.sizes, second.calls) == ({"web": 700}, None)
    assert (third.sizes, third.total) == ({}, 0)
