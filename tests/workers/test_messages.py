"""What a lane reads from a message is what Celery reads from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.worker.request import Request
from kombu.transport.virtual.base import Channel
from kombu.transport.virtual.base import Message as Delivered
from kombu.utils.json import loads

from voice import envelope
from workers.messages import Message


def test_a_task_is_run_with_what_celery_would_run_it_with() -> None:
    raw = envelope.sealed("run_turn", "some-turn", 7, expires_seconds=60)
    mine = Message.parse(raw, "agent@here")
    delivered: Any = Delivered(loads(raw), channel=_channel())  # type: ignore[no-untyped-call]
    app = Celery(set_as_current=False)
    app.task(name="workers.tasks.run_turn")(_nothing)
    request = Request(delivered, app=app, hostname="agent@here")
    theirs = {k: v for k, v in request.request_dict.items() if k not in ("args", "kwargs")}
    assert mine.request == theirs
    assert (mine.task, mine.task_id, mine.name) == (request.type, request.id, request.name)
    assert mine.body == request.body
    assert (mine.content_type, mine.content_encoding) == ("application/json", "utf-8")
    assert list(mine.args) == request.args
    assert mine.expires == request.expires


def _nothing(*_: object) -> None:
    return


def _channel() -> Channel:
    class Still(Channel):
        def __init__(self) -> None:
            pass

    return Still()


def test_a_task_expires_and_may_be_early() -> None:
    now = datetime.now(UTC)
    raw = envelope.sealed("run_turn", "some-turn", expires_seconds=60)
    assert not Message.parse(raw, "").expired(now)
    assert Message.parse(raw, "").expired(now + timedelta(seconds=70))
    assert Message.parse(raw, "").early_seconds(now) == 0
    later = (now + timedelta(seconds=5)).replace(tzinfo=None).isoformat()
    early = Message.parse(raw.replace(b'"eta": null', f'"eta": "{later}"'.encode()), "")
    assert early.early_seconds(now) == pytest.approx(5.0)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"headers": {}, "properties": {}}', b"\xff"])
def test_what_is_no_message_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its subclasses of json and base64 too
        Message.parse(raw, "")
