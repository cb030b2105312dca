"""Our task messages are those that Celery itself would send."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import pytest
from celery import Celery

from convonet.celery import app
from voice import envelope

# Different in every message.
NEW_EACH_TIME = {"id", "root_id", "correlation_id", "delivery_tag", "expires"}


def by_celery(task: str, *args: str | int, expires: float | None) -> dict[str, Any]:
    with app.connection("memory://") as connection:
        channel = connection.default_channel
        with app.producer_or_acquire(app.amqp.Producer(connection)) as producer:
            app.send_task(
                f"workers.tasks.{task}",
                args,
                expires=expires,
                producer=producer,
                ignore_result=True,
                retry=False,
            )
        made: dict[str, Any] = channel._get(envelope.queue_of(task))
        return made


def flat(message: dict[str, Any]) -> dict[str, Any]:
    """The fields that are the same each time, and of the others whether they are there."""
    found = {name: message[name] for name in ("content-encoding", "content-type")}
    body = json.loads(base64.b64decode(message["body"]))
    for name, value in [*message["headers"].items(), *message["properties"].items()]:
        found[name] = bool(value) if name in NEW_EACH_TIME else value
    return {**found, "body": body}


@pytest.mark.parametrize(
    ("task", "args", "expires"),
    [
        ("speak", ("d0c8b8de-98a1-4ef0-a7a5-7b6ce3c8a0ff", 0), 120.0),
        ("run_turn", ("d0c8b8de-98a1-4ef0-a7a5-7b6ce3c8a0ff",), None),
        ("transcribe", ("one", "two"), None),
    ],
)
def test_a_message_has_the_fields_of_celerys_own(
    task: str, args: tuple[str | int, ...], expires: float | None
) -> None:
    theirs = flat(by_celery(task, *args, expires=expires))
    ours = flat(json.loads(envelope.sealed(task, *args, expires_seconds=expires)))
    # What only a broker with a time limit of its own reads, and nobody waits for a result.
    theirs.pop("expiration", None)
    assert theirs.pop("reply_to")
    assert not ours.pop("reply_to")
    assert ours == theirs


def test_each_message_is_one_of_its_own() -> None:
    one, other = (json.loads(envelope.sealed("run_turn", "t")) for _ in range(2))
    assert one["headers"]["id"] != other["headers"]["id"]
    assert one["properties"]["delivery_tag"] != other["properties"]["delivery_tag"]


def test_it_expires_when_it_is_to() -> None:
    message = json.loads(envelope.sealed("speak", "t", 0, expires_seconds=60))
    left = datetime.fromisoformat(message["headers"]["expires"]) - datetime.now().astimezone()
    assert 50 < left.total_seconds() <= 60


def test_every_task_goes_where_celery_would_route_it() -> None:
    app.loader.import_default_modules()
    assert isinstance(app, Celery)
    for name in [task for task in app.tasks if task.startswith(envelope.TASKS)]:
        routed = app.amqp.router.route({}, name)["queue"].name
        assert routed == envelope.queue_of(name.removeprefix(envelope.TASKS)), name
