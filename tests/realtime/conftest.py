"""The whole product with a speech-to-speech model on its calls, which the tests direct."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from convonet.far_end import names
from tests.stack import Stack
from tests.standins.realtime_process import RealtimeStandIn

# Reached by the simulated Twilio past the proxy that would end its TLS.
PUBLIC_URL = "https://phone.example.org"


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
    telephone = {
        "TWILIO_ACCOUNT_SID": names.ACCOUNT,
        "TWILIO_AUTH_TOKEN": names.AUTH_TOKEN,
        "PUBLIC_URL": PUBLIC_URL,
    }
    stack = Stack(tmp_path_factory.mktemp("realtime"), running_model.env | telephone)
    try:
        stack.start()
        # A server that others reach has no demo user by itself.
        stack.make_user("demo")
        yield stack
    finally:
        stack.stop()
