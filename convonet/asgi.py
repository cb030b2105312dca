"""The web process: pages by Django, the two sockets as raw callables behind Channels' routers."""

from __future__ import annotations

import asyncio
import gc
import os
from functools import cache
from importlib import import_module
from typing import Any

from convonet.web import heap
from convonet.web.pages import Pages
from convonet.web.threads import Threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convonet.settings")
heap.keep_small()
# Before anything that touches models: it loads the applications.
site = Pages()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.urls import path  # noqa: E402

from convonet import closing, database, health  # noqa: E402
from convonet.web.rest import Rest  # noqa: E402
from monitor.lookout import options_from  # noqa: E402
from monitor.pulse import Pulse  # noqa: E402
from phone.present import is_present  # noqa: E402
from voice.records import close_database  # noqa: E402
from voice.sockets import call_socket, page_socket, unknown_socket  # noqa: E402
from voice.sweeper import Sweeper  # noqa: E402
from voice.waiting import wait_socket  # noqa: E402
from voice.wiring import services  # noqa: E402

# A person waits for a page, and Twilio for what a caller is to hear: neither for the other.
PAGE_THREADS, MOST_PAGES = 3, 100
WEBHOOK_THREADS, MOST_WEBHOOKS = 2, 400


def threads(name: str, most: int, waiting: int) -> Threads:
    return Threads(name, most, waiting=waiting, parting=connections.close_all, ended=stir)


def stir() -> None:
    """Something ended, of which memory may be left."""
    if resting.cache_info().currsize:
        resting().stir()


database.keep_all()
pages: Any = site.by(threads("page", PAGE_THREADS, MOST_PAGES))
media_socket: Any = None
if is_present():
    # What these load is installed only where there is a telephone.
    media_socket = import_module("phone.sockets").media_socket
    webhooks = site.by(threads("webhook", WEBHOOK_THREADS, MOST_WEBHOOKS))
    pages = import_module("phone.front").front(pages, webhooks)
people = AuthMiddlewareStack(
    URLRouter(
        # Django's types know views only; Channels routes to raw ASGI callables as well.
        [
            path("ws/call", call_socket),  # type: ignore[arg-type]
            path("ws/page", page_socket),  # type: ignore[arg-type]
            path("ws/wait", wait_socket),  # type: ignore[arg-type]
            path("<path:anything>", unknown_socket),  # type: ignore[arg-type]
        ]
    )
)


async def sockets(scope: Any, receive: Any, send: Any) -> None:
    # Before any session is looked for: a stream has none.
    if media_socket is not None and scope["path"] == "/twilio/media":
        await media_socket(scope, receive, send)
    else:
        await people(scope, receive, send)


async def requests(scope: Any, receive: Any, send: Any) -> None:
    # Beside the threads: that pages wait is no reason to end the process that carries the calls.
    if scope["path"] == "/healthz":
        await health.answer(send)
    else:
        await pages(scope, receive, send)


routes = ProtocolTypeRouter({"http": requests, "websocket": sockets})


@cache
def sweeping() -> asyncio.Task[None]:
    joined = services()
    sweeper = Sweeper(joined.redis, joined.queue)
    return asyncio.get_running_loop().create_task(sweeper.run(), name="sweeper")


@cache
def pulsing() -> asyncio.Task[None]:
    beating = Pulse(services().redis, options_from(settings)).run()
    return asyncio.get_running_loop().create_task(beating, name="pulse")


async def close_idle() -> None:
    """What only calls need: the database's connection, and the broker's but for the hub's."""
    await close_database()
    await services().redis.connection_pool.disconnect(inuse_connections=False)


@cache
def resting() -> Rest:
    rest = Rest(close_idle)
    rest.task = asyncio.get_running_loop().create_task(rest.run(), name="rest")
    return rest


def begin() -> None:
    """Start what goes on beside the calls; on the running loop, as often as one likes.

    `convonet.front` does when the server starts: what a dead web process left shall not wait for
    somebody to call.
    """
    sweeping()
    pulsing()
    resting()


async def application(scope: Any, receive: Any, send: Any) -> None:
    begin()
    await routes(scope, receive, send)


closing.be_patient()
# Looking through all that is loaded for garbage would hold every call up for a tenth of a second.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
heap.give_back()
