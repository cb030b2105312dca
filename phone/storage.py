"""Where recordings lie: a folder of this machine, or a bucket (settings.STORAGES)."""

from __future__ import annotations

from django.core.files.storage import Storage, storages


def recordings() -> Storage:
    """Called by Django whenever the field's storage is needed first, so settings may change it."""
    return storages["recordings"]
