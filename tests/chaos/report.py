"""The table at the end of a run, and the story of one turn from its log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

from tests.chaos.claims import Claim, claim_of
from tests.chaos.facts import Attempt, Kill, Snapshot, Violation
from tests.chaos.victims import VICTIMS

STORY_SECONDS = 1.0


def table(attempts: Sequence[Attempt], kills: Sequence[Kill], snapshot: Snapshot) -> str:
    lines = [*_summary(attempts, snapshot), "", _row(_HEAD)]
    untouched = [one for one in attempts if not _killed_during(one, kills)]
    lines.append(_row(_cells("(no kill)", len(kills) * [0.0], untouched, [])))
    for victim in VICTIMS:
        its = [kill for kill in kills if kill.victim == victim.name]
        hit = [(one, kill) for kill in its for one in attempts if _during(one, kill)]
        recoveries = [kill.recovered_after for kill in its if kill.recovered_after is not None]
        lines.append(_row(_cells(victim.name, recoveries, [one for one, _ in hit], hit, len(its))))
    carried = [kill.carried for kill in kills if kill.carried]
    if carried:
        lines.append(f"\nmessages in a full child when it was killed: {_middle(carried)} median")
    return "\n".join(lines)


_HEAD = (
    *("victim", "kills", "well again s", "turns hit", "answered", "apologised", "cut off"),
    *("sent to first word s", "kill to end s", "p90"),
)
_WIDTHS = (26, 5, 12, 9, 8, 10, 7, 20, 13, 6)


def _row(cells: Iterable[object]) -> str:
    padded = [str(c).rjust(w) for c, w in zip(cells, _WIDTHS, strict=True)]
    return "  ".join([padded[0].strip().ljust(_WIDTHS[0]), *padded[1:]])


def _cells(
    name: str,
    recoveries: Sequence[float],
    turns: Sequence[Attempt],
    hit: Sequence[tuple[Attempt, Kill]],
    kills: int | None = None,
) -> tuple[object, ...]:
    outcomes = Counter(one.outcome for one in turns)
    words = [one.first_word_at - one.sent_at for one in turns if one.first_word_at is not None]
    ends = [one.done_at - kill.at for one, kill in hit if one.done_at and one.outcome != "cut"]
    if kills is None:
        ends = [one.done_at - one.sent_at for one in turns if one.done_at and one.outcome != "cut"]
        recoveries = []
    return (
        name,
        "" if kills is None else kills,
        _middle(recoveries),
        len(turns),
        outcomes["done"],
        outcomes["failed"] + outcomes["unheard"],
        outcomes["cut"],
        _middle(words),
        _middle(ends),
        _p90(ends),
    )


def _middle(values: Sequence[float]) -> str:
    return f"{median(values):.2f}" if values else "-"


def _p90(values: Sequence[float]) -> str:
    if len(values) < 2:
        return _middle(values)
    return f"{quantiles(values, n=10, method='inclusive')[-1]:.1f}"


def _summary(attempts: Sequence[Attempt], snapshot: Snapshot) -> Iterator[str]:
    claims = Counter(claim_of(attempt) for attempt in attempts)
    outcomes = Counter(attempt.outcome for attempt in attempts)
    states = Counter(turn.state for turn in snapshot.turns)
    yield (
        f"{len(attempts)} commands, {sum(bool(one.recording) for one in attempts)} of them spoken, "
        f"by {len({one.caller for one in attempts})} callers; "
        f"{sum(one.repeat for one in attempts)} said again"
    )
    yield "ended: " + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    yield "told: " + ", ".join(f"{claims[claim]} {claim.value}" for claim in Claim)
    yield "rows: " + ", ".join(f"{count} {name}" for name, count in sorted(states.items()))
    alone = ", ".join(f"{n} {part}" for part, n in snapshot.ended_by_themselves.items())
    yield f"parts that ended though nobody had killed them: {alone or 'none'}"
    again = sum(turn.attempts > 1 for turn in snapshot.turns)
    yield f"{again} turns were taken up by more than one worker"


def listed(violations: Sequence[Violation]) -> str:
    if not violations:
        return "0 violations"
    counts = Counter(one.rule for one in violations)
    head = ", ".join(f"{count} {rule}" for rule, count in counts.items())
    lines = [f"  {one.rule}: {one.what} [{one.caller} {one.turn}]" for one in violations]
    return "\n".join([f"{len(violations)} violations: {head}", *lines])


def _during(attempt: Attempt, kill: Kill) -> bool:
    return attempt.done_at is not None and attempt.sent_at <= kill.at <= attempt.done_at


def _killed_during(attempt: Attempt, kills: Iterable[Kill]) -> bool:
    return any(_during(attempt, kill) for kill in kills)


def story(log: Path, attempt: Attempt) -> str:
    """The lines of the log that concern one attempt: its caller's, and every kill meanwhile."""
    start = attempt.sent_at - STORY_SECONDS
    end = (attempt.done_at or attempt.sent_at) + STORY_SECONDS
    lines = []
    for line in log.read_text().splitlines():
        event = json.loads(line)
        concerns = event.get("caller") == attempt.caller or event["event"] in ("kill", "recovered")
        if concerns and start <= event["at"] <= end:
            lines.append(line)
    return "\n".join(lines)
