"""Shows how to log in to Flower."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Show Flower's address, user and password."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"http://localhost:{settings.FLOWER_PORT}/")
        self.stdout.write(f"user {settings.FLOWER_USER}, password {settings.FLOWER_PASSWORD}")
