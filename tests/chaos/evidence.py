"""Reads what a run left behind: rows, histories, Redis keys, queues and processes."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Any

import psutil
import redis

from tests.chaos.checks import history_problems
from tests.chaos.facts import ChangeRow, ReminderRow, Snapshot, TodoRow, TurnRow
from tests.stack import Stack
from todo.models import Change, Priority, Reminder, Todo, ToolRequest
from voice import keys
from voice.models import Turn
from workers.history import conversation
from workers.past_turns import earlier_turns

QUEUES = ("agent", "speech", "chores")
_TURN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def unfinished(users: list[int]) -> int:
    """Turns of these people that have not come to an end."""
    over = (Turn.State.DONE, Turn.State.INTERRUPTED, Turn.State.FAILED)
    return Turn.objects.filter(call__user__in=users).exclude(state__in=over).count()


def queued(client: redis.Redis) -> dict[str, int]:
    """Messages not yet taken, and those taken but not acknowledged, by whoever took them."""
    left = {queue: int(client.llen(queue)) for queue in QUEUES}
    left["unacked"] = int(client.hlen("unacked"))
    left["claimed"] = sum(claimed(client).values())
    return left


def claimed(client: redis.Redis) -> dict[int, int]:
    """How many messages each child has claimed and not done yet, by its pid."""
    names = [name.decode() for name in client.scan_iter(match=keys.claims("*", "*"), count=1000)]
    # Beside them each list holds its floor.
    return {int(name.split("/")[-2]): max(0, int(client.llen(name)) - 1) for name in names}


def snapshot(users: list[int], client: redis.Redis) -> Snapshot:
    turns = Turn.objects.filter(call__user__in=users).select_related("call").order_by("created_at")
    done = ToolRequest.objects.filter(owner__in=users, tool="undo_last_change")
    return Snapshot(
        turns=[_turn(turn) for turn in turns],
        changes=[_change(row) for row in Change.objects.filter(owner__in=users).order_by("pk")],
        todos=[_todo(todo) for todo in Todo.objects.filter(owner__in=users)],
        reminders=[_reminder(row) for row in Reminder.objects.filter(owner__in=users)],
        undo_turns=[_turn_in(row.key) for row in done if row.result.get("status") == "ok"],
        histories=[problem for turn in turns for problem in _history(turn)],
        keys_for_ever=keys_for_ever(client),
        left_in_queues=queued(client),
    )


def keys_for_ever(client: redis.Redis) -> list[str]:
    """Our keys without a lifetime; Celery's own are its queues and their bindings."""
    ours = sorted(client.scan_iter(match=f"{keys.PREFIX}*", count=1000))
    return [key.decode() for key in ours if client.ttl(key) == -1]


def ended_by_themselves(supervisor_log: str) -> dict[str, int]:
    """By part: how often it ended without a SIGKILL before it was told to stop."""
    running = supervisor_log.split("received SIG")[0]
    return dict(Counter(re.findall(r"exited: (\w+) \(exit status", running)))


def orphans(stack: Stack) -> list[str]:
    """Processes of the product that its launcher would not find."""
    found = []
    for process in stack.processes():
        try:
            family = {parent.pid for parent in process.parents()} | {process.pid}
            if stack.launcher_pid not in family:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
        except psutil.NoSuchProcess:
            continue
    return found


def _turn(turn: Turn) -> TurnRow:
    return TurnRow(
        str(turn.pk),
        str(turn.call_id),
        turn.call.user_id,
        turn.state,
        turn.transcript,
        turn.reply,
        turn.error,
        turn.attempts,
    )


def _change(change: Change) -> ChangeRow:
    return ChangeRow(
        change.pk,
        change.owner_id,
        str(change.turn_id or ""),
        change.summary,
        change.created_at.timestamp(),
        _seconds(change.undone_at),
        sum(_open(row["after"]) - _open(row["before"]) for row in _todos_of(change)),
    )


def _todos_of(change: Change) -> list[dict[str, Any]]:
    return [row for row in change.rows if row["model"] == "todo"]


def _open(todo: dict[str, Any] | None) -> int:
    if todo is None:
        return 0
    return int(todo["completed_at"] is None and todo["deleted_at"] is None)


def _todo(todo: Todo) -> TodoRow:
    done, deleted = todo.completed_at is not None, todo.deleted_at is not None
    return TodoRow(todo.owner_id, todo.title, done, deleted, todo.priority == Priority.HIGH)


def _reminder(reminder: Reminder) -> ReminderRow:
    cancelled = reminder.state == Reminder.State.CANCELLED
    return ReminderRow(reminder.owner_id, reminder.text, cancelled)


def _history(turn: Turn) -> list[str]:
    messages = conversation(earlier_turns(turn, 12), turn.transcript or "(none)")
    return [f"before turn {turn.pk}: {what}" for what in history_problems(messages)]


def _turn_in(key: str) -> str:
    found = _TURN.search(key)
    return found[0] if found else key


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
