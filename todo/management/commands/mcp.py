"""`manage.py mcp`: serve the todo tools to the workers, or with --stdio to a desktop client."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from todo.actor import known_zone

# A held connection saves a reconnect per tool call; Django tests it before using it again.
CONNECTION_SECONDS = 600


class Command(BaseCommand):
    help = "Serves the todo tools over MCP: on loopback for the workers, or over stdio."
    # The checks load every page and admin module, which this process never needs.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stdio", action="store_true", help="talk over stdin and stdout")
        parser.add_argument("--user", default="", help="with --stdio: whose todos")
        parser.add_argument(
            "--time-zone", default="", help="with --stdio: for example Europe/Berlin"
        )
        parser.add_argument("--port", type=int, default=settings.MCP_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        connections.settings["default"]["CONN_MAX_AGE"] = CONNECTION_SECONDS
        connections.settings["default"]["CONN_HEALTH_CHECKS"] = True
        if options["stdio"]:
            _serve_stdio(options["user"], options["time_zone"])
        else:
            _serve_http(options["port"])


def _serve_stdio(username: str, time_zone: str) -> None:
    if not username:
        raise CommandError("Say whose todos: --stdio --user NAME")
    if time_zone and known_zone(time_zone) is None:
        raise CommandError(f"There is no time zone {time_zone}.")
    try:
        user = get_user_model().objects.filter(username=username, is_active=True).first()
    except DatabaseError:
        raise CommandError("The database is not ready; run manage.py migrate first.") from None
    if user is None:
        raise CommandError(f"There is no user {username}.")
    from todo import mcp_stdio

    mcp_stdio.serve(user.pk, time_zone)


def _serve_http(port: int) -> None:
    from todo import mcp_http

    mcp_http.serve(port)
