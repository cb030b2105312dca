"""Reminders that fire, records that go, pages that are told, and the clock that drives it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth import get_user_model
from django.utils import timezone

from convonet import page_events, ports
from monitor.models import MemorySample
from phone.models import Recording
from tests.stack import wait_until
from tests.workers.conftest import Caller
from tests.workers.processes import ToolServer, Worker, alive
from todo.models import Mention, Question, Reminder, ToolRequest
from todo.signals import changed
from voice import keys
from voice.events import ReminderDue, TodosChanged, decode
from voice.models import Call, Checkpoint, ProviderUse, Turn
from workers import reminders, retention
from workers.options import RetentionOptions
from workers.uses import Use, record


def told(redis: redis_library.Redis, person: int) -> list[Any]:
    entries: Any = redis.xrange(keys.person_stream(person))
    return [decode(fields[b"e"]) for _, fields in entries]


@pytest.mark.service
@pytest.mark.django_db
def test_a_due_reminder_is_told_once_and_one_to_come_is_not(redis: redis_library.Redis) -> None:
    anna = get_user_model().objects.create_user("anna")
    now = timezone.now()
    due = Reminder.objects.create(owner=anna, text="call Anna", due_at=now - timedelta(seconds=1))
    Reminder.objects.create(owner=anna, text="later", due_at=now + timedelta(hours=1))
    assert reminders.fire_due(redis) == [due.pk]
    assert reminders.fire_due(redis) == []
    assert told(redis, anna.pk) == [ReminderDue(due.pk, "call Anna", "Reminder: call Anna.")]
    assert reminders.speech_for(due.pk) == "Reminder: call Anna."
    assert reminders.speech_for(0) is None


@pytest.mark.django_db
def test_old_records_go_and_new_ones_stay() -> None:
    anna = get_user_model().objects.create_user("anna")
    now = timezone.now()
    for age in (1, 30, 200):
        call = Call.objects.create(user=anna)
        Call.objects.filter(pk=call.pk).update(started_at=now - timedelta(days=age))
        turn = Turn.objects.create(call=call, number=1)
        key = f"key-{age}"
        ToolRequest.objects.create(key=key, owner=anna, tool="add", result={})
        question = Question.objects.create(
            owner=anna, tool="x", arguments={}, question="?", created_at=now
        )
        then = now - timedelta(days=age)
        Checkpoint.objects.create(turn=turn, messages="[]", saved_at=then + timedelta(hours=12))
        ToolRequest.objects.filter(pk=key).update(created_at=then)
        Question.objects.filter(pk=question.pk).update(created_at=then)
        Mention.objects.create(call_id=call.pk, owner=anna, spoken_at=then)
        record(Use("think", "local"), call_id=call.pk, turn_id=turn.pk)
        record(Use("hear", "local"), call_id=call.pk)
        record(Use("speak", "pico"), call_id=None)
        spoken = ProviderUse.objects.filter(call=None).latest("pk")
        ProviderUse.objects.filter(pk=spoken.pk).update(at=then)
        MemorySample.objects.create(at=then + timedelta(hours=12), host="here", why="clock", size=1)
    counts = retention.purge(now, RetentionOptions(call_days=90, tool_request_days=7))
    assert counts == {
        "tool_requests": 2,
        "questions": 2,
        "mentions": 2,
        "recordings": 0,
        "checkpoints": 2,
        "calls": 1,
        "memory": 2,
        "uses": 1,
    }
    assert list(ToolRequest.objects.values_list("pk", flat=True)) == ["key-1"]
    assert (Call.objects.count(), Turn.objects.count()) == (2, 2)
    assert (Question.objects.count(), Mention.objects.count()) == (1, 1)
    stages = ProviderUse.objects.order_by("stage").values_list("stage", flat=True)
    assert list(stages) == ["hear", "hear", "speak", "speak", "think", "think"]


def tell_pages() -> None:
    changed.send_robust(
        sender=None, owner_id=3, summary="added: milk", change_id=9, todo_ids=[4], reminder_ids=[]
    )


@pytest.mark.service
def test_a_change_is_told_to_the_owners_pages(
    redis: redis_library.Redis, own_broker: str, settings: Any
) -> None:
    settings.REDIS_URL = own_broker
    page_events._client.cache_clear()
    tell_pages()
    page_events._client.cache_clear()
    assert told(redis, 3) == [TodosChanged("added: milk", 9, [4], [])]


def test_a_change_is_no_error_when_the_broker_is_down(
    settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_events, "_failing", False)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    page_events._client.cache_clear()
    for _ in range(3):
        tell_pages()
    page_events._client.cache_clear()
    warnings = [r for r in caplog.records if r.name == "convonet.page_events"]
    assert len(warnings) == 1


@pytest.mark.service
def test_a_worker_fires_reminders_by_the_clock_and_leaves_no_process_behind(
    start_worker: Callable[..., Worker],
    tool_server: ToolServer,
    caller: Caller,
    redis: redis_library.Redis,
) -> None:
    due_at = timezone.now() + timedelta(seconds=1)
    reminder = Reminder.objects.create(owner=caller.call.user, text="call Anna", due_at=due_at)
    worker = start_worker("agent", MCP_URL=tool_server.url, TEST_SCHEDULE="1")
    wait_until(lambda: bool(told(redis, caller.call.user_id)), 60, "the reminder is told")
    # Told first, queued next: the page need not wait for the voice.
    wait_until(lambda: redis.llen("speech") == 1, 60, "its speech is queued")
    queued: Any = redis.lrange("speech", 0, -1)
    assert [json.loads(message)["headers"]["task"] for message in queued] == [
        "workers.tasks.speak_reminder"
    ]
    reminder.refresh_from_db()
    assert reminder.state == Reminder.State.FIRED

    everyone = worker.descendants()
    assert len(everyone) == 1
    worker.stop(signal.SIGKILL)
    wait_until(lambda: not any(map(alive, everyone)), 60, "its child has gone")


@pytest.mark.service
def test_what_is_due_while_there_is_no_child_is_done_and_has_one_started_only_if_need_be(
    start_worker: Callable[..., Worker], caller: Caller, redis: redis_library.Redis
) -> None:
    port = str(ports.any_free())
    tools = {"TOOLS_IN_WORKER": "1", "MCP_PORT": port, "MCP_URL": f"http://127.0.0.1:{port}/mcp"}
    idle = {"TEST_SHRINK": "1", "AGENT_IDLE_SECONDS": "1", "TEST_SCHEDULE": "1"}
    worker = start_worker("agent", **tools, **idle)

    def below() -> int:
        return len(worker.descendants())

    wait_until(lambda: below() == 1, 60, "only the tool server is left")
    reminder = Reminder.objects.create(
        owner=caller.call.user, text="call Anna", due_at=timezone.now()
    )
    wait_until(lambda: redis.llen("speech") == 1, 60, "the reminder's speech is queued")
    reminder.refresh_from_db()
    assert reminder.state == Reminder.State.FIRED
    assert below() == 1

    caller.call.ended_at = timezone.now() - timedelta(minutes=5)
    caller.call.save()
    recording = Recording.objects.create(call=caller.call)
    wait_until(
        lambda: redis.get(keys.scheduled("join_recordings")) is not None, 60, "the clock runs"
    )
    redis.delete(keys.scheduled("join_recordings"))  # as half a minute later
    wait_until(
        lambda: not Recording.objects.filter(pk=recording.pk).exists(),
        90,
        "a child has been started and has seen that there is nothing to join",
    )
    wait_until(lambda: below() == 1, 60, "it has gone again")
    assert worker.stop() == 0


@pytest.mark.service
def test_a_heartbeat_says_who_serves_and_ends_with_the_worker(
    start_worker: Callable[..., Worker], tool_server: ToolServer, redis: redis_library.Redis
) -> None:
    worker = start_worker("agent", children=2, MCP_URL=tool_server.url)
    state = worker.state(redis)
    assert state is not None
    assert state["role"] == "agent"
    assert state["children"] == 2
    assert 0 < redis.ttl(keys.heartbeat("agent")) <= 6
    worker.stop()
    assert worker.state(redis) is None
    # Healthy and idle, a worker says little.
    lines = [line for line in worker.output.splitlines() if " INFO " in line or " WARN" in line]
    assert len(lines) <= 12, lines
