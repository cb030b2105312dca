"""Twisted's reactor on asyncio, without a log context made and undone around every event."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import installReactor


class Reactor(AsyncioSelectorReactor):
    """A fault while something is read or written is caught, and logged, by `_readOrWrite`."""

    def addReader(self, reader: Any) -> None:
        if reader in self._readers:
            return
        descriptor = reader.fileno()
        try:
            self._asyncioEventloop.add_reader(descriptor, self._readOrWrite, reader, True)
            self._readers[reader] = descriptor
        except OSError:
            # One that cannot be waited for: Twisted knows what to do.
            super().addReader(reader)  # type: ignore[no-untyped-call]

    def addWriter(self, writer: Any) -> None:
        if writer in self._writers:
            return
        descriptor = writer.fileno()
        try:
            self._asyncioEventloop.add_writer(descriptor, self._readOrWrite, writer, False)
            self._writers[writer] = descriptor
        except OSError:
            super().addWriter(writer)  # type: ignore[no-untyped-call]


def install() -> None:
    """Daphne takes the one that it finds when it is imported."""
    if "twisted.internet.reactor" not in sys.modules:
        installReactor(Reactor(asyncio.new_event_loop()))  # type: ignore[no-untyped-call]
