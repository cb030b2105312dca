"""Fixtures of the telephone's tests: a web process whose workers the test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from phone.models import Recording
from tests.phone.web import Web, running_web
from tests.phone.workers import Workers, playing


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Shared by the tests of a run."""
    with running_web(tmp_path_factory.mktemp("phone-web")) as running:
        yield running


@pytest.fixture
async def workers(web: Web) -> AsyncIterator[Workers]:
    """They hear "go on" in everything and reply shortly, unless a test says otherwise."""
    async with playing(web.broker, web) as played:
        yield played


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Where recordings lie during this test."""
    settings.STORAGES = {
        **settings.STORAGES,
        "recordings": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    field: Any = Recording._meta.get_field("file")
    before, field.storage = field.storage, storages["recordings"]
    yield tmp_path
    field.storage = before
