"""`python -m convonet.flower_app`: Flower, on an application of its own.

Flower watches the broker and needs no task, model or Django. Started by Celery's command it would
also load a terminal's toolkit. On a socket of the launcher's it ends when nobody asks any more: the
launcher starts it again for the next who does.
"""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import flower.options  # type: ignore[import-untyped]  # noqa: F401  # defines what is set below
from celery import Celery
from flower.app import Flower  # type: ignore[import-untyped]
from flower.urls import settings as pages  # type: ignore[import-untyped]
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream
from tornado.options import options, parse_config_file

from convonet import env, ports, settings
from monitor.lookout import FLOWER, Lookout, options_from

OPTIONS = Path(__file__).with_name("flower_options.py")

app = Celery("convonet", broker=settings.REDIS_URL)
app.conf.update(
    broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    accept_content=settings.CELERY_ACCEPT_CONTENT,
)


class Door(HTTPServer):
    """Accepts connections, and tells of each."""

    page: Page

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.page.note()
        super().handle_stream(stream, address)


class Page(Flower):  # type: ignore[misc]  # flower has no types
    """Flower that knows when it was last asked for anything; `idle_seconds` of 0 is for ever."""

    def __init__(self, idle_seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._idle_seconds = idle_seconds
        self._asked: float | None = None

    def note(self) -> None:
        """Somebody wants something."""
        self._asked = monotonic()

    def serve(self, descriptor: int | None) -> None:
        """Until nobody has asked for so long; on this listening socket, else on its own port."""
        if descriptor is None:
            self.start_http_server()
        else:
            listening = socket.socket(fileno=descriptor)
            listening.setblocking(False)
            door = Door(self)
            door.page = self
            door.add_socket(listening)
        if self._idle_seconds:
            PeriodicCallback(self._look, 1000 * self._idle_seconds / 10).start()
        self.start()

    def log_request(self, handler: Any) -> None:
        """Tornado calls this after each answer."""
        self.note()
        super().log_request(handler)

    def _look(self) -> None:
        if self._asked is None:
            self.note()  # who made it start is heard only now
        elif monotonic() - self._asked > self._idle_seconds:
            self.stop()


def main() -> None:
    parse_config_file(str(OPTIONS), final=False)
    descriptor = ports.inherited()
    on_demand = descriptor is not None and settings.FLOWER == "demand"
    idle_seconds = env.seconds("FLOWER_IDLE_SECONDS", 600.0, least=0.5) if on_demand else 0.0
    # Where Flower has a machine of its own, nobody else tells of that machine's memory.
    Lookout(options_from(settings), FLOWER).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    page = Page(idle_seconds, capp=app, options=options, **pages)
    try:
        page.serve(descriptor)
    finally:
        page.stop()


if __name__ == "__main__":
    main()
