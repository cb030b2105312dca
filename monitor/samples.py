"""Keeps snapshots as rows for a while: one insert a look, and as many deletions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.conf import settings

from monitor.models import MemorySample
from monitor.snapshot import CALLS, Snapshot, by_role

# Those taken when calls began or ended are many, and tell little more a few hours later.
CALLS_KEPT = timedelta(hours=6)
# Deleted at a time, so that nobody waits for the database.
BATCH = 200


def keep(snapshots: Iterable[Snapshot], counted: Mapping[str, int]) -> int:
    """Store them in one statement; one that is stored already is left as it is.

    `counted` goes with the first of them.
    """
    rows = [_row(snapshot) for snapshot in snapshots]
    if rows:
        rows[0].counters = dict(counted)
        MemorySample.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def purge(now: datetime) -> int:
    """Delete what is too old at `now`, a batch of each kind; returns how many went."""
    old = MemorySample.objects.filter(at__lt=now - timedelta(hours=settings.MEMORY_HOURS))
    passing = MemorySample.objects.filter(why=CALLS, at__lt=now - CALLS_KEPT)
    gone = 0
    for rows in (old, passing):
        chosen = list(rows.order_by("at").values_list("pk", flat=True)[:BATCH])
        if chosen:
            gone += MemorySample.objects.filter(pk__in=chosen).delete()[0]
    return gone


def _row(snapshot: Snapshot) -> MemorySample:
    totals = by_role(snapshot.readings)
    return MemorySample(
        at=datetime.fromtimestamp(snapshot.at, UTC),
        host=snapshot.host,
        why=snapshot.why,
        calls=snapshot.calls,
        size=snapshot.size,
        limit=snapshot.allowance.limit_kib,
        used=snapshot.allowance.used_kib,
        oom_kills=snapshot.allowance.oom_kills,
        roles={role: [one.processes, one.size, one.growth] for role, one in totals.items()},
        processes=[
            [one.pid, one.role, round(one.started), one.rss, one.uss, one.pss, one.base]
            for one in snapshot.readings
        ],
    )
