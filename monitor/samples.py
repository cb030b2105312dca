"""Keeps snapshots as rows for a while: one insert a look, and as many deletions.

In plain SQL: the tool server, which does this, would otherwise have 4 MB of the ORM for itself, as
pages that it shared with its worker's parent before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from monitor.models import MemorySample
from monitor.snapshot import CALLS, Snapshot, by_role

# Those taken when calls began or ended are many, and tell little more a few hours later.
CALLS_KEPT = timedelta(hours=6)
# Deleted at a time, so that nobody waits for the database.
BATCH = 200
COLUMNS = (
    *("at", "host", "why", "calls", "size", "limit", "used", "oom_kills"),
    *("roles", "processes", "counters"),
)


def keep(snapshots: Iterable[Snapshot], counted: Mapping[str, int]) -> None:
    """Store them; one that is stored already is left as it is.

    `counted` goes with the first of them.
    """
    rows = [_row(one, {} if number else counted) for number, one in enumerate(snapshots)]
    names = ", ".join(map(connection.ops.quote_name, COLUMNS))
    places = ", ".join(["%s"] * len(COLUMNS))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {_table()} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608
            rows,
        )


def purge(now: datetime) -> int:
    """Delete what is too old at `now`, a batch of each kind; returns how many went."""
    old = now - timedelta(hours=settings.MEMORY_HOURS)
    return _delete("at < %s", [_moment(old)]) + _delete(
        "why = %s AND at < %s", [CALLS, _moment(now - CALLS_KEPT)]
    )


def _delete(which: str, values: list[Any]) -> int:
    chosen = f"SELECT id FROM {_table()} WHERE {which} ORDER BY at LIMIT {BATCH}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {_table()} WHERE id IN ({chosen})", values)  # noqa: S608
        return int(cursor.rowcount)


def _row(snapshot: Snapshot, counted: Mapping[str, int]) -> list[Any]:
    """In the order of COLUMNS."""
    totals = by_role(snapshot.readings)
    processes = [
        [one.pid, one.role, round(one.started), one.rss, one.uss, one.pss, one.base]
        for one in snapshot.readings
    ]
    allowance = snapshot.allowance
    return [
        *(_moment(datetime.fromtimestamp(snapshot.at, UTC)), snapshot.host, snapshot.why),
        *(snapshot.calls, snapshot.size, allowance.limit_kib, allowance.used_kib),
        allowance.oom_kills,
        json.dumps({role: [one.processes, one.size, one.growth] for role, one in totals.items()}),
        json.dumps(processes),
        json.dumps(dict(counted)),
    ]


def _table() -> str:
    return connection.ops.quote_name(MemorySample._meta.db_table)


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
