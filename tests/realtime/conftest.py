"""The whole product with a speech-to-speech model on its calls, which the tests direct."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import Stack
from tests.standins.realtime_process import RealtimeStandIn


@pytest.fixture(scope="package")
def running_model() -> Iterator[RealtimeStandIn]:
    process = RealtimeStandIn()
    yield process
    process.stop()


@pytest.fixture
def model(running_model: RealtimeStandIn) -> RealtimeStandIn:
    """As new; its process is shared."""
    running_model.reset()
    return running_model


@pytest.fixture(scope="package")
def product(
    running_model: RealtimeStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Healthy, and shared by these tests."""
    stack = Stack(tmp_path_factory.mktemp("realtime"), running_model.env)
    try:
        yield stack.start()
    finally:
        stack.stop()
