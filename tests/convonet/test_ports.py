from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from convonet import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def test_port_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


def test_any_free_port_is_free() -> None:
    assert ports.is_free(ports.any_free())


def test_preferred_port_is_taken_when_it_is_free() -> None:
    port = ports.any_free()
    assert ports.preferred_or_free(port, set()) == port


def test_another_port_is_found_when_the_preferred_one_is_in_use(taken: int) -> None:
    port = ports.preferred_or_free(taken, set())
    assert port != taken
    assert ports.is_free(port)


def test_one_port_is_not_promised_twice() -> None:
    promised: set[int] = set()
    port = ports.any_free()
    first = ports.preferred_or_free(port, promised)
    assert ports.preferred_or_free(port, promised) != first
    assert len(promised) == 2
