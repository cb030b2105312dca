"""A process that leaks what it is told to, for the tests of the leak test.

One command a line: a kind and how many. `ready` and `done` are its answers.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Any

import redis

from convonet import census


class Leaked:
    """What a registry that nobody clears would hold."""


class Leaky:
    def __init__(self, database: str, broker: str) -> None:
        self._database, self._broker = database, redis.Redis.from_url(broker)
        self._kept: list[Any] = []
        self._never = threading.Event()
        self._lasting = 0

    def objects(self) -> None:
        self._kept.append(Leaked())

    def memory(self) -> None:
        # No object that the collector knows of.
        self._kept.append(os.urandom(1 << 16))

    def descriptors(self) -> None:
        self._kept.append(os.open(os.devnull, os.O_RDONLY))

    def threads(self) -> None:
        threading.Thread(target=self._never.wait, daemon=True).start()

    def connections(self) -> None:
        opened = sqlite3.connect(self._database)
        opened.execute("PRAGMA user_version").fetchone()
        self._kept.append(opened)

    def keys(self) -> None:
        self._lasting += 1
        self._broker.set(f"convonet:leaked:{self._lasting}", "x")

    def passing(self) -> None:
        """No leak: it has a lifetime, however long."""
        self._lasting += 1
        self._broker.set(f"convonet:passing:{self._lasting}", "x" * 1000, ex=3600)

    def nothing(self) -> None:
        pass


def main(database: str, broker: str) -> None:
    census.answer_when_asked()
    leaky = Leaky(database, broker)
    # What a first time loads is no leak.
    for kind in ("connections", "keys", "passing", "threads"):
        getattr(leaky, kind)()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        kind, number = line.split()
        leak: Callable[[], None] = getattr(leaky, kind)
        for _ in range(int(number)):
            leak()
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
