"""A worker that loses its broker goes on; one that cannot go on ends at once, with all it began."""

# mypy: disable-error-code="no-untyped-call,method-assign,attr-defined"
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis as redis_library
from celery.platforms import EX_FAILURE
from kombu import Connection, Consumer, Queue

from convonet.celery import app
from tests.stack import wait_until
from tests.workers.conftest import Environment
from tests.workers.processes import Process, alive
from workers import consumer


class Lost:
    """A connection whose loss meets its channel twice while it is closed: by itself, and by the
    connection that closes all it has. A message is not yet acknowledged."""

    def __init__(self, url: str) -> None:
        self.connection: Any = Connection(url)
        self._channel: Any = self.connection.default_channel
        self._close, self._refusals = self._channel.close, 2
        got: list[Any] = []
        queue = Queue("lost")
        self.connection.Producer(self._channel).publish({}, routing_key="lost", declare=[queue])
        take: Any = Consumer
        with take(self._channel, [queue], callbacks=[lambda body, message: got.append(message)]):
            self.connection.drain_events(timeout=5)
        assert len(got) == 1
        self._channel.close = self._close_at_last

    def _close_at_last(self) -> None:
        if self._refusals:
            self._refusals -= 1
            raise redis_library.ConnectionError
        self._close()

    def forget(self) -> None:
        """Else it would be given back when the tests end, to a broker that is gone."""
        self._channel.qos._delivered.clear()


def test_a_lost_connection_that_cannot_be_closed_does_not_end_the_worker(broker: str) -> None:
    lost = Lost(broker)
    lost.connection.collect()
    # What kombu makes of it. Once it does not, none of this is needed any more.
    with pytest.raises(AttributeError):
        lost.connection.close()
    lost.forget()

    lost = Lost(broker)
    own = consumer.Consumer.__new__(consumer.Consumer)
    own.app, own.connection, own.qos_global = app, lost.connection, True
    own.pool, own.prefetch_multiplier = SimpleNamespace(num_processes=1), 1
    own.on_connection_error_after_connected(redis_library.ConnectionError())
    assert own.connection is None
    lost.forget()


@pytest.mark.service
def test_a_worker_that_cannot_go_on_ends_at_once_with_all_it_began(
    base_env: Environment, second_broker: str, redis: redis_library.Redis, tmp_path: Path
) -> None:
    env = base_env | {
        "TEST_REDIS_URL": second_broker,
        "CONVONET_VAR": str(tmp_path),
        "BREAKS_WHEN": str(tmp_path / "break"),
    }
    worker = Process(["tests.workers.breaking_worker"], env, tmp_path / "worker.log")
    try:
        wait_until(lambda: "busy" in worker.output, 30, "a child is at work that does not end")
        below = worker.descendants()
        assert below
        (tmp_path / "break").touch()
        assert worker.popen.wait(20) == EX_FAILURE
        wait_until(lambda: not any(map(alive, below)), 10, "its children are gone")
        assert "Unrecoverable error" in worker.output
    finally:
        worker.popen.kill()
        print(worker.output)
