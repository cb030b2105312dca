"""The samples of a period, summed over the machines, in as many buckets as a graph shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Mod

from monitor.models import MemorySample
from monitor.snapshot import CLOCK


@dataclass(frozen=True, slots=True)
class Period:
    name: str
    over: timedelta
    buckets: int
    step: int = 1
    """Every so manieth sample is read: a prime, so that no machine of several is left out."""


PERIODS = (
    Period("hour", timedelta(hours=1), 60),
    Period("6 hours", timedelta(hours=6), 180),
    Period("48 hours", timedelta(hours=48), 192, step=5),
)
READ_AT_ONCE = 200
Roles = Mapping[str, list[int]]


@dataclass(slots=True)
class Bucket:
    """A slice of time: the mean size of each role in KiB, and the most calls."""

    sizes: dict[str, float] = field(default_factory=dict)
    calls: int | None = None
    most: int = 0
    """The largest sum at a single look, in KiB."""

    @property
    def total(self) -> float:
        return sum(self.sizes.values())


@dataclass(frozen=True, slots=True)
class History:
    since: datetime
    until: datetime
    buckets: list[Bucket]
    counted: dict[str, int]
    """How often what was counted within the period."""
    oom_kills: int

    @property
    def most(self) -> int:
        return max(bucket.most for bucket in self.buckets)

    @property
    def known(self) -> bool:
        return any(bucket.sizes for bucket in self.buckets)


def of(period: Period, now: datetime, host: str = "") -> History:
    """Of one machine, or of all together."""
    since = now - period.over
    rows = MemorySample.objects.filter(at__gte=since, at__lte=now).order_by("at")
    if host:
        rows = rows.filter(host=host)
    drawn = rows
    if period.over > timedelta(hours=1):
        drawn = drawn.filter(why=CLOCK)
    if period.step > 1:
        drawn = drawn.annotate(nth=Mod("pk", period.step)).filter(nth=0)
    longest = max(1.0, 2 * settings.MEMORY_SAMPLE_SECONDS)
    count = max(1, min(period.buckets, int(period.over.total_seconds() / longest)))
    # Not all in memory at once: that is what this process has least of.
    looks = drawn.values_list("at", "host", "calls", "roles").iterator(chunk_size=READ_AT_ONCE)
    return History(
        since=since,
        until=now,
        buckets=bucketed(looks, since, period.over / count, count),
        counted=_counted(rows),
        oom_kills=_oom_kills(rows),
    )


def bucketed(
    looks: Iterable[tuple[datetime, str, int | None, Roles]],
    since: datetime,
    width: timedelta,
    count: int,
) -> list[Bucket]:
    """Machines are summed up; several looks at one within a bucket are averaged."""
    sums: list[dict[str, dict[str, float]]] = [{} for _ in range(count)]
    numbers: list[dict[str, int]] = [{} for _ in range(count)]
    buckets = [Bucket() for _ in range(count)]
    for at, host, calls, roles in looks:
        place = min(count - 1, max(0, int((at - since) / width)))
        numbers[place][host] = numbers[place].get(host, 0) + 1
        of_host = sums[place].setdefault(host, {})
        for role, (_, size, *_) in roles.items():
            of_host[role] = of_host.get(role, 0.0) + size
        buckets[place].most = max(buckets[place].most, sum(one[1] for one in roles.values()))
        if calls is not None:
            buckets[place].calls = max(calls, buckets[place].calls or 0)
    for place, bucket in enumerate(buckets):
        for host, of_host in sums[place].items():
            for role, whole in of_host.items():
                mean = whole / numbers[place][host]
                bucket.sizes[role] = bucket.sizes.get(role, 0.0) + mean
    return buckets


def _counted(rows: Any) -> dict[str, int]:
    """Between the first and the last look that knew; what began anew counts from nothing."""
    told = rows.exclude(counters={})
    first, last = told.first(), told.last()
    if first is None or last is None:
        return {}
    return {
        name: number - before if number >= (before := first.counters.get(name, 0)) else number
        for name, number in last.counters.items()
    }


def _oom_kills(rows: Any) -> int:
    kills = 0
    for host in rows.order_by().values_list("host", flat=True).distinct():
        of_host = rows.filter(host=host).exclude(oom_kills=None)
        first, last = of_host.first(), of_host.last()
        if first is not None and last is not None:
            kills += max(0, last.oom_kills - first.oom_kills)
    return kills
