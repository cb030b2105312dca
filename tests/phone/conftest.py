"""Fixtures of the telephone's tests: a web process whose workers the test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

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
