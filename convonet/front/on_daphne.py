"""Daphne, with the way of a socket's messages to their application made straight and bounded.

Its own way is a queue without a bound and a task's wake-up for each message, after a parser in
Python that takes forty steps for a frame. That parser stays, for whatever is not a plain message.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from convonet.front.reactor import install

# Before Daphne is imported, which would make one of its own.
install()

import daphne.server  # type: ignore[import-untyped]  # noqa: E402
from autobahn.exception import Disconnected  # noqa: E402
from autobahn.websocket.protocol import WebSocketProtocol as Wire  # noqa: E402
from daphne.ws_protocol import (  # type: ignore[import-untyped]  # noqa: E402
    WebSocketFactory,
    WebSocketProtocol,
)
from twisted.internet import reactor  # noqa: E402
from twisted.internet.defer import Deferred  # noqa: E402
from twisted.internet.endpoints import (  # noqa: E402
    AdoptedStreamServerEndpoint,
    TCP4ServerEndpoint,
)

from convonet.front.inbox import Event  # noqa: E402
from convonet.front.intake import Intake  # noqa: E402
from convonet.front.options import END_SECONDS, Options, Served, product  # noqa: E402

HANDSHAKE_SECONDS = 5


class Socket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """One WebSocket; `Server` gives it its intake when its request was read."""

    intake: Intake | None = None
    straight = False
    """The handshake is over, and Autobahn is between two frames for the first time."""

    def dataReceived(self, data: bytes) -> None:
        if not self.straight:
            if self.intake is None or self.state != Wire.STATE_OPEN or not self.between_messages:
                super().dataReceived(data)
                return
            self.straight = True
        self.last_ping = time.time()
        if self.autoPingTimeoutCall is not None:
            self._cancelAutoPingTimeoutCall()
        self.intake.feed(data)  # type: ignore[union-attr]  # without it nothing is straight

    def connectionLost(self, reason: Any) -> None:
        if self.intake is not None:
            self.intake.end()
        super().connectionLost(reason)

    def serverClose(self, code: int | None = None) -> None:
        super().serverClose(code)
        if self.intake is not None:
            # The far end's answer is still to be read, and nothing else.
            self.intake.inbox.forget()

    @property
    def between_messages(self) -> bool:
        return self.current_frame is None and not self.inside_message and not self.data

    def odd(self, frame: bytes) -> bool:
        """A frame that is no plain message: Autobahn's to read."""
        super().dataReceived(frame)
        return self.between_messages

    def pause(self) -> None:
        self.transport.pauseProducing()

    def resume(self) -> None:
        self.transport.resumeProducing()


class Server(daphne.server.Server):  # type: ignore[misc]
    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As Daphne does it, with an inbox that has a bound."""
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        intake = Intake(odd=protocol.odd, pause=protocol.pause, resume=protocol.resume)
        scope.setdefault("asgi", {"version": "3.0"})
        carried = self.application(
            scope=scope, receive=intake.inbox, send=partial(self.handle_reply, protocol)
        )
        if protocol not in self.connections:
            carried.close()
            return None
        protocol.intake = intake
        task = asyncio.ensure_future(carried, loop=asyncio.get_event_loop())
        self.connections[protocol]["application_instance"] = task
        return intake.inbox

    async def handle_reply(self, protocol: Any, message: Event) -> None:
        kind = message["type"]
        if kind != "websocket.send":
            await super().handle_reply(protocol, message)
        elif "disconnected" not in self.connections.get(protocol, {"disconnected": 0}):
            # Autobahn knows of a closing handshake before it tells, and raises until then.
            with suppress(Disconnected):
                protocol.handle_reply(message)

    def kill_all_applications(self) -> Any:
        """Let each that goes on clean up, and wait for all of them; Daphne waits for the first."""
        known = (details.get("application_instance") for details in self.connections.values())
        going_on = [task for task in known if task is not None and not task.done()]
        for task in going_on:
            task.cancel()
        if not going_on:
            return None
        ended = asyncio.wait(going_on, timeout=END_SECONDS)
        return Deferred.fromFuture(asyncio.ensure_future(ended))


def serve(options: Options, load: Callable[[], Served] = product) -> None:
    """Until SIGTERM or SIGINT; raises SystemExit when it cannot listen."""
    # Libraries' warnings, until the settings say what is logged.
    logging.basicConfig(level=logging.WARNING)
    WebSocketFactory.protocol = Socket
    # Daphne's way of naming an endpoint would have Twisted look through all its plugins.
    daphne.server.serverFromString = lambda _reactor, _name: _endpoint(options)
    served = load()
    loop: Any = reactor
    loop.callLater(0, served.begin)
    server = Server(
        application=served.application,
        endpoints=["ours"],
        verbosity=0,
        server_name="",
        ping_interval=options.ping_seconds,
        ping_timeout=options.ping_seconds,
        websocket_connect_timeout=HANDSHAKE_SECONDS,
        websocket_handshake_timeout=HANDSHAKE_SECONDS,
        websocket_max_message_size=options.message_bytes,
        websocket_max_frame_size=options.message_bytes,
    )
    server.run()
    if server.abort_start:
        sys.exit(1)


def _endpoint(options: Options) -> Any:
    if options.descriptor is None:
        host = options.host.strip("[]")
        return TCP4ServerEndpoint(  # type: ignore[no-untyped-call]
            reactor, options.port, options.backlog, host
        )
    with socket.socket(fileno=os.dup(options.descriptor)) as listening:
        family = listening.family
    return AdoptedStreamServerEndpoint(  # type: ignore[no-untyped-call]
        reactor, options.descriptor, family
    )
