"""What a chaos run saw and what it left in the database, as plain values that JSON can hold.

Times named `_at` are seconds of the wall clock (Unix), so that a run's log, the rows and the
product's own logs can be laid side by side.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["add", "complete", "prioritise", "delete", "remind", "undo", "count", "list"]
Outcome = Literal["done", "failed", "interrupted", "unheard", "cut", "silent"]
READS: frozenset[str] = frozenset({"count", "list"})


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to say. `title` names what it is about; recordings and reads have none."""

    kind: Kind
    text: str
    title: str = ""
    recording: str = ""
    interrupt_after: float | None = None
    """Seconds after which the caller asks for silence."""


@dataclass(slots=True)
class Chip:
    """What the page showed of one tool call."""

    name: str
    status: str
    summary: str = ""


@dataclass(slots=True)
class Attempt:
    """One command said once, and everything its caller was told about it."""

    caller: str
    user: int
    call: str
    kind: str
    text: str
    sent_at: float
    title: str = ""
    recording: str = ""
    turn: str = ""
    """Set once the server has shown the words as its own transcript: then it has accepted them."""
    transcript: str = ""
    outcome: str = ""
    reply: str = ""
    notices: list[str] = field(default_factory=list)
    chips: dict[str, Chip] = field(default_factory=dict)
    restarts: int = 0
    first_word_at: float | None = None
    """When the caller first heard, read or was shown anything about it."""
    done_at: float | None = None
    bye: str = ""
    """Why the server hung up, when it did so itself before the end."""
    repeat: bool = False
    """Said again because the caller was told that nothing was done."""


@dataclass(frozen=True, slots=True)
class Kill:
    victim: str
    pid: int
    at: float
    moment: str
    recovered_after: float | None
    """Seconds; None when it was not well again within its time."""
    by_kernel: bool = False
    carried: int = 0
    """Messages that it had claimed, where that is why it was chosen."""


@dataclass(frozen=True, slots=True)
class TurnRow:
    id: str
    call: str
    user: int
    state: str
    transcript: str
    reply: str = ""
    error: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """`opened` is by how many open todos it made the list longer (or, negative, shorter)."""

    id: int
    user: int
    turn: str
    summary: str
    created_at: float
    undone_at: float | None = None
    opened: int = 0


@dataclass(frozen=True, slots=True)
class TodoRow:
    user: int
    title: str
    done: bool = False
    deleted: bool = False
    high: bool = False


@dataclass(frozen=True, slots=True)
class ReminderRow:
    user: int
    text: str
    cancelled: bool = False


@dataclass(slots=True)
class Snapshot:
    """The product's state after it came to rest, and after it was stopped."""

    turns: list[TurnRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    todos: list[TodoRow] = field(default_factory=list)
    reminders: list[ReminderRow] = field(default_factory=list)
    undo_turns: list[str] = field(default_factory=list)
    """For every undo that the tools carried out, the turn that asked for it."""
    histories: list[str] = field(default_factory=list)
    """What is wrong with the messages that a next turn of each call would begin with."""
    keys_for_ever: list[str] = field(default_factory=list)
    left_in_queues: dict[str, int] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    ended_by_themselves: dict[str, int] = field(default_factory=dict)
    """Parts that nobody killed, which ended all the same and were started again."""


@dataclass(frozen=True, slots=True)
class Violation:
    rule: str
    what: str
    turn: str = ""
    caller: str = ""


def save(path: Path, attempts: list[Attempt], kills: list[Kill], snapshot: Snapshot) -> None:
    """Everything the checks need, so that they can be run again without the product."""
    facts = {
        "attempts": [asdict(attempt) for attempt in attempts],
        "kills": [asdict(kill) for kill in kills],
        "snapshot": asdict(snapshot),
    }
    path.write_text(json.dumps(facts, indent=1))


def load(path: Path) -> tuple[list[Attempt], list[Kill], Snapshot]:
    facts = json.loads(path.read_text())
    kills = [Kill(**kill) for kill in facts["kills"]]
    return [_attempt(values) for values in facts["attempts"]], kills, _snapshot(facts["snapshot"])


def _attempt(values: dict[str, Any]) -> Attempt:
    chips = {key: Chip(**chip) for key, chip in values.pop("chips").items()}
    return Attempt(**values, chips=chips)


def _snapshot(values: dict[str, Any]) -> Snapshot:
    rows = {"turns": TurnRow, "changes": ChangeRow, "todos": TodoRow, "reminders": ReminderRow}
    for name, row in rows.items():
        values[name] = [row(**one) for one in values[name]]
    return Snapshot(**values)
