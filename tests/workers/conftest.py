"""Fixtures: a worker of each kind on the run's broker and database, and turns for it to run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library
from celery import Celery
from django.contrib.auth import get_user_model
from django.db import connection

from tests.services import running_broker
from tests.stack import wait_until
from tests.workers.processes import ToolServer, Worker
from voice import keys
from voice.events import Event, TurnFailed, TurnFinished, decode
from voice.models import Call, Turn

MODEL = "tests.workers.scripted_model.ScriptedModel"
Environment = dict[str, str]


def database_url() -> str:
    """Of the database that pytest made for this run."""
    chosen = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{chosen['NAME']}"
    return f"postgres://{chosen['USER']}@{chosen['HOST']}:{chosen['PORT']}/{chosen['NAME']}"


@pytest.fixture(scope="session")
def base_env(broker: str, django_db_setup: None, django_db_blocker: Any) -> Environment:
    """For workers that see the rows and the broker of this test run."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.workers.settings",
        "TEST_REDIS_URL": broker,
        "TEST_DATABASE": database_url(),
        "LANGUAGE_MODEL": MODEL,
    }


@pytest.fixture(scope="session")
def second_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_broker(tmp_path_factory.mktemp("second-broker")) as url:
        yield url


@pytest.fixture
def own_broker(request: pytest.FixtureRequest) -> str:
    """The shared worker would take the turns of tests that start their own: another broker."""
    shared = "agent" in request.fixturenames
    url: str = request.getfixturevalue("broker" if shared else "second_broker")
    return url


@pytest.fixture
def redis(own_broker: str) -> Iterator[redis_library.Redis]:
    """A client of this test's broker, empty when the test begins."""
    with redis_library.Redis.from_url(own_broker) as client:
        client.flushdb()
        yield client


@pytest.fixture
def tool_server(tmp_path: Path) -> Iterator[ToolServer]:
    """One for this test alone, not yet started."""
    server = ToolServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def start_worker(
    base_env: Environment,
    redis: redis_library.Redis,
    own_broker: str,
    transactional_db: None,
    tmp_path: Path,
) -> Iterator[Callable[..., Worker]]:
    """Starts workers for this test alone."""
    started: list[Worker] = []

    def start(
        role: str, *, children: int = 1, options: list[str] | None = None, **env: str
    ) -> Worker:
        log = tmp_path / f"{role}-{len(started)}.log"
        own = base_env | {"CONVONET_VAR": str(tmp_path), "TEST_REDIS_URL": own_broker} | env
        worker = Worker(role, own, log, children=children, options=options)
        started.append(worker)
        return worker.wait_ready(redis)

    yield start
    for worker in started:
        worker.stop()


@pytest.fixture(scope="session")
def agent(
    base_env: Environment, broker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """An agent worker with its tool server, shared by the tests that leave both well."""
    directory = tmp_path_factory.mktemp("agent")
    server = ToolServer(directory).start()
    env = base_env | {"CONVONET_VAR": str(directory), "MCP_URL": server.url}
    worker = Worker("agent", env, directory / "agent.log")
    try:
        with redis_library.Redis.from_url(broker) as client:
            yield worker.wait_ready(client)
        worker.stop()
    finally:
        worker.popen.kill()
        server.stop()


class Caller:
    """A call whose turns are queued as the web process does it, and whose events are read."""

    def __init__(self, redis: redis_library.Redis, broker: str) -> None:
        self._redis = redis
        self._app = Celery(broker=broker)
        user = get_user_model().objects.create_user("anna", first_name="Anna")
        self.call = Call.objects.create(user=user, time_zone="Europe/Berlin")

    def say(self, script: list[dict[str, Any]] | str, **values: Any) -> Turn:
        """A new turn, waiting and queued; `script` is for the scripted model."""
        turn = Turn.objects.create(
            call=self.call,
            number=self.call.turns.count() + 1,
            state=Turn.State.WAITING,
            transcript=script if isinstance(script, str) else json.dumps(script),
            **values,
        )
        self.queue("run_turn", str(turn.pk))
        return turn

    def queue(self, task: str, *arguments: Any, queue: str = "agent") -> None:
        self._app.send_task(f"workers.tasks.{task}", arguments, queue=queue)

    def rest(self, running: int = 0) -> None:
        """Wait until the workers have no more to do than so many tasks, as far as can be seen.

        For what shall not happen: one that is just being handed over is nowhere to be seen.
        """

        def left() -> int:
            lists: Any = self._redis.keys(f"{keys.PREFIX}claims:*")
            # Each child's list has its floor beside what it has claimed.
            claimed: int = sum(self._redis.llen(name) - 1 for name in lists)
            return claimed + self._redis.llen("agent") + self._redis.hlen("unacked")

        wait_until(lambda: left() <= running, 60, "the workers have done it all")

    def events(self) -> list[Event]:
        entries: Any = self._redis.xrange(keys.call_stream(str(self.call.pk)))
        return [decode(fields[b"e"]) for _, fields in entries]

    def wait_for(self, kind: type[Event], turn: Turn, seconds: float = 60) -> Any:
        """The first event of this kind for the turn."""

        def found() -> list[Event]:
            return [
                event
                for event in self.events()
                if isinstance(event, kind) and getattr(event, "turn_id", "") == str(turn.pk)
            ]

        wait_until(lambda: bool(found()), seconds, f"{kind.__name__} of the turn")
        return found()[0]

    def finish(self, turn: Turn, seconds: float = 60) -> TurnFinished:
        """Its end, which must be a good one; the row is read again."""
        ended = self.wait_ended(turn, seconds)
        assert isinstance(ended, TurnFinished), ended
        return ended

    def fail(self, turn: Turn, seconds: float = 60) -> TurnFailed:
        ended = self.wait_ended(turn, seconds)
        assert isinstance(ended, TurnFailed), ended
        return ended

    def wait_ended(self, turn: Turn, seconds: float = 60) -> TurnFinished | TurnFailed:
        def ended() -> list[TurnFinished | TurnFailed]:
            return [
                event
                for event in self.events()
                if isinstance(event, TurnFinished | TurnFailed) and event.turn_id == str(turn.pk)
            ]

        wait_until(lambda: bool(ended()), seconds, "the end of the turn")
        turn.refresh_from_db()
        return ended()[0]


@pytest.fixture
def caller(redis: redis_library.Redis, own_broker: str, transactional_db: None) -> Caller:
    return Caller(redis, own_broker)
