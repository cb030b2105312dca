"""Connections that outlive what they were opened for.

Django closes a connection at the end of each request or task, and opening one costs a turn more
than what it asks. Kept ones are asked whether they still serve before they are used again
(`CONN_HEALTH_CHECKS`), so a server that restarted is not noticed.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created


def keep(alias: str = "default") -> None:
    """Let this thread's connection stay open, for a thread that lives as long as its process."""
    connections[alias].close_at = None


def keep_all() -> None:
    """Let every connection of this process stay open."""
    connection_created.connect(_keep)


def let_go_while_waiting() -> None:
    """Close this thread's connection to SQLite, unless it is in the middle of something.

    With the schema and the statements it has read it holds half a megabyte, and to have another
    takes 1 ms. A server's connection costs that server more than it costs us: it stays.
    """
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            connection.close()


def write_back_early() -> None:
    """Have every connection of this process made from now on empty SQLite's log at a quarter.

    For who keeps no caller waiting: others then find the log short, and need not wait for the disk.
    """
    connection_created.connect(_shorten_log)


def _shorten_log(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_autocheckpoint=1000")


def _keep(connection: Any, **_: Any) -> None:
    connection.close_at = None
