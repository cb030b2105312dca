"""The Django app: joins what happens when rows are deleted."""

from __future__ import annotations

from django.apps import AppConfig


class PhoneConfig(AppConfig):
    name = "phone"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from phone import deletions  # noqa: F401  # registers its receivers
