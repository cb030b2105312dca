"""Holds what callers were told against what the database says afterwards. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from tests.chaos.claims import Claim, chip_says_done, claim_of, count_said
from tests.chaos.facts import Attempt, Kill, Snapshot, TodoRow, TurnRow, Violation

TERMINAL = frozenset({"done", "interrupted", "failed"})
# Said by a caller who then cannot know what became of the command.
OPEN_CLAIMS = frozenset({Claim.UNSURE, Claim.NOTHING, Claim.UNKNOWN})


def violations(
    attempts: Sequence[Attempt], kills: Iterable[Kill], snapshot: Snapshot
) -> list[Violation]:
    """Every broken promise, in the order of the rules."""
    known = _with_turns(attempts, snapshot.turns)
    return [
        *lost(known, snapshot),
        *hung_up_on(known),
        *done_twice(known, snapshot),
        *contradictions(known, snapshot),
        *wrong_counts(known, snapshot),
        *wrong_state(known, snapshot),
        *[Violation("invalid history", what) for what in snapshot.histories],
        *[Violation("orphan process", what) for what in snapshot.orphans],
        *[Violation("key for ever", key) for key in snapshot.keys_for_ever],
        *[
            Violation("left in a queue", f"{count} in {name}")
            for name, count in snapshot.left_in_queues.items()
            if count
        ],
        *[
            Violation("not recovered", f"{kill.victim} (pid {kill.pid}) was not well again in time")
            for kill in kills
            if kill.recovered_after is None
        ],
    ]


def _with_turns(attempts: Sequence[Attempt], turns: Iterable[TurnRow]) -> list[Attempt]:
    """A caller cut off before the transcript came back does not know the turn; the rows do."""
    taken = {attempt.turn for attempt in attempts}
    unseen: dict[tuple[str, str], list[str]] = defaultdict(list)
    for turn in turns:
        if turn.id not in taken:
            unseen[turn.call, turn.transcript].append(turn.id)
    known = []
    for attempt in attempts:
        rows = unseen[attempt.call, attempt.text]
        known.append(attempt if attempt.turn or not rows else replace(attempt, turn=rows.pop(0)))
    return known


def lost(attempts: Sequence[Attempt], snapshot: Snapshot) -> Iterator[Violation]:
    """A turn that never ended, vanished, or ended without a word to a caller who was there."""
    rows = {turn.id for turn in snapshot.turns}
    by_turn = {attempt.turn: attempt for attempt in attempts}
    for turn in snapshot.turns:
        if turn.state not in TERMINAL:
            caller = by_turn[turn.id].caller if turn.id in by_turn else ""
            what = f"still {turn.state} after {turn.attempts} attempts: {turn.transcript!r}"
            yield Violation("lost turn", what, turn.id, caller)
    for attempt in attempts:
        what = _lost_to_its_caller(attempt, rows)
        if what:
            yield _of(attempt, "lost turn", what)


def _lost_to_its_caller(attempt: Attempt, rows: set[str]) -> str:
    if attempt.outcome == "silent":
        return "the caller gave up waiting for an end"
    if attempt.turn and attempt.transcript and attempt.turn not in rows:
        return "the caller saw the transcript, but there is no row"
    ended = attempt.outcome in ("done", "failed", "unheard")
    if ended and claim_of(attempt) is Claim.NOTHING:
        return f"{attempt.outcome} without a word on what became of it"
    return ""


def hung_up_on(attempts: Sequence[Attempt]) -> Iterator[Violation]:
    """The death of a worker, the tools or the broker ends no call; and nobody asked for an end."""
    for attempt in attempts:
        if attempt.bye and attempt.bye != "call too long":
            yield _of(attempt, "hung up", f"the server hung up on {attempt.text!r}: {attempt.bye}")


def done_twice(attempts: Sequence[Attempt], snapshot: Snapshot) -> Iterator[Violation]:
    titles = Counter((todo.user, todo.title.lower()) for todo in snapshot.todos)
    texts = Counter((reminder.user, reminder.text.lower()) for reminder in snapshot.reminders)
    for (user, name), count in [*titles.items(), *texts.items()]:
        if count > 1:
            yield Violation("done twice", f"{count} rows by the name {name!r} of user {user}")
    for turn, count in _effects(snapshot).items():
        if count > 1:
            attempt = next((one for one in attempts if one.turn == turn), None)
            caller = attempt.caller if attempt else ""
            yield Violation("done twice", f"{count} changes in one turn", turn, caller)
    undone = sum(change.undone_at is not None for change in snapshot.changes)
    if undone != len(snapshot.undo_turns):
        what = f"{undone} changes are undone, but {len(snapshot.undo_turns)} undos were carried out"
        yield Violation("done twice", what)


def _effects(snapshot: Snapshot) -> Counter[str]:
    """How often each turn changed anything."""
    changes = [change.turn for change in snapshot.changes if change.turn]
    return Counter([*changes, *snapshot.undo_turns])


def contradictions(attempts: Sequence[Attempt], snapshot: Snapshot) -> Iterator[Violation]:
    effects = _effects(snapshot)
    for attempt in attempts:
        claim, count = claim_of(attempt), effects[attempt.turn] if attempt.turn else 0
        said = attempt.reply or " / ".join(attempt.notices)
        if claim is Claim.UNKNOWN:
            yield _of(attempt, "not understood", f"{attempt.text!r} was answered {said!r}")
        elif claim is Claim.DONE and not count:
            yield _of(attempt, "contradiction", f"told {said!r}, but nothing was changed")
        elif claim in (Claim.NOT_DONE, Claim.ANSWERED) and count:
            yield _of(attempt, "contradiction", f"told {said!r}, but something was changed")
        if claim is Claim.NOT_DONE and chip_says_done(attempt):
            yield _of(attempt, "contradiction", f"a chip says done, the words say {said!r}")
        if attempt.kind == "undo" and claim is Claim.DONE and not _names(attempt):
            yield _of(attempt, "contradiction", f"undid another thing: {said!r}")


def _names(attempt: Attempt) -> bool:
    """Whether what was undone is what was to be; a call cut before the words came has its chip."""
    summaries = " / ".join(chip.summary for chip in attempt.chips.values())
    said = attempt.reply or summaries or " / ".join(attempt.notices)
    return not attempt.title or not said or attempt.title.lower() in said.lower()


def wrong_counts(attempts: Sequence[Attempt], snapshot: Snapshot) -> Iterator[Violation]:
    """The number of open todos told must have been true at some moment while it was asked for."""
    for attempt in attempts:
        told = count_said(attempt.reply) if attempt.kind == "count" else None
        if told is None or attempt.done_at is None:
            continue
        true = _counts_between(snapshot, attempt.user, attempt.sent_at, attempt.done_at)
        if told not in true:
            yield _of(attempt, "contradiction", f"told {told} open todos, there were {true}")


def _counts_between(snapshot: Snapshot, user: int, start: float, end: float) -> list[int]:
    steps = []
    for change in snapshot.changes:
        if change.user == user:
            steps.append((change.created_at, change.opened))
            if change.undone_at is not None:
                steps.append((change.undone_at, -change.opened))
    count = sum(opened for at, opened in steps if at < start)
    counts = {count}
    for _, opened in sorted(step for step in steps if start <= step[0] <= end):
        count += opened
        counts.add(count)
    return sorted(counts)


@dataclass(slots=True)
class _Expected:
    """A todo or reminder by what its caller was told, with the steps that an undo takes back."""

    user: int
    steps: list[str] = field(default_factory=list)
    certain: bool = True


def wrong_state(attempts: Sequence[Attempt], snapshot: Snapshot) -> Iterator[Violation]:
    """Each thing the caller named must be as the last words about it said."""
    expected: dict[tuple[int, str], _Expected] = {}
    for attempt in sorted(attempts, key=lambda one: one.sent_at):
        if attempt.title:
            key = attempt.user, attempt.title.lower()
            _follow(expected.setdefault(key, _Expected(attempt.user)), attempt)
    todos = {(todo.user, todo.title.lower()): todo for todo in snapshot.todos}
    reminders = {(one.user, one.text.lower()): one for one in snapshot.reminders}
    for (user, title), thing in expected.items():
        if not thing.certain:
            continue
        reminder = reminders.get((user, title))
        if "remind" in thing.steps and (reminder is None or reminder.cancelled):
            yield Violation("contradiction", f"reminder {title!r} was set, but is not there")
        elif "remind" not in thing.steps:
            what = _difference(thing.steps, todos.get((user, title)))
            if reminder is not None and not reminder.cancelled:
                what = "a reminder of which nobody was told"
            if what:
                yield Violation("contradiction", f"{title!r} of user {user}: {what}")


def _follow(thing: _Expected, attempt: Attempt) -> None:
    claim = claim_of(attempt)
    if claim in OPEN_CLAIMS:
        thing.certain = False
    elif claim is Claim.DONE and attempt.kind == "undo":
        thing.steps = thing.steps[:-1]
    elif claim is Claim.DONE:
        thing.steps.append(attempt.kind)


def _difference(steps: list[str], todo: TodoRow | None) -> str:
    there = todo is not None and not todo.deleted
    if ("add" in steps and "delete" not in steps) != there:
        return f"told {steps or 'nothing'}, but it is {'there' if there else 'not there'}"
    if todo is None or todo.deleted:
        return ""
    if todo.done != ("complete" in steps):
        return f"told {steps}, but it is {'done' if todo.done else 'open'}"
    if todo.high != ("prioritise" in steps):
        return f"told {steps}, but its priority is {'high' if todo.high else 'not high'}"
    return ""


def history_problems(messages: Sequence[BaseMessage]) -> list[str]:
    """What a provider would refuse: a tool call without exactly one result, or a stray result."""
    problems: list[str] = []
    owed: Counter[str] = Counter()
    for message in messages:
        if isinstance(message, ToolMessage):
            owed[message.tool_call_id] -= 1
            if owed[message.tool_call_id] < 0:
                problems.append(f"a result without its call: {message.tool_call_id}")
        elif isinstance(message, AIMessage | HumanMessage):
            problems += [f"no result for {call}" for call, count in owed.items() if count > 0]
            owed = Counter()
        if isinstance(message, AIMessage):
            owed = Counter(str(call["id"]) for call in message.tool_calls)
            problems += [f"one id twice: {call}" for call, count in owed.items() if count > 1]
    problems += [f"no result for {call}" for call, count in owed.items() if count > 0]
    return problems


def _of(attempt: Attempt, rule: str, what: str) -> Violation:
    return Violation(rule, what, attempt.turn, attempt.caller)
