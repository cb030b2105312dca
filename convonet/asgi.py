"""The web process: pages by Django, the two sockets as raw callables behind Channels' routers."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convonet.settings")
# Before anything that touches models: it loads the applications.
pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from voice.sockets import call_socket, page_socket, unknown_socket  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": AuthMiddlewareStack(
            URLRouter(
                # Django's types know views only; Channels routes to raw ASGI callables as well.
                [
                    path("ws/call", call_socket),  # type: ignore[arg-type]
                    path("ws/page", page_socket),  # type: ignore[arg-type]
                    path("<path:anything>", unknown_socket),  # type: ignore[arg-type]
                ]
            )
        ),
    }
)
