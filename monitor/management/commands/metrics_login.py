"""Shows how Prometheus may read `/metrics`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Show the address of the metrics and the token to read them with."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        base = settings.PUBLIC_URL.rstrip("/") or f"http://localhost:{settings.PORT}"
        self.stdout.write(f"{base}/metrics")
        self.stdout.write(f"Authorization: Bearer {settings.METRICS_TOKEN}")
        self.stdout.write(f"or user {settings.METRICS_USER}, password {settings.METRICS_TOKEN}")
