"""The set of commands as frozen values; `tests/commands/set/README.md` tells the fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

SET = Path(__file__).parents[1] / "set"
PARTS = ("open", "held")
Row = dict[str, Any]
_FIELDS = frozenset(["id", "kind", "given", "say", "after", "or", "says", "hides", "asks"])
_ENDS = {
    *("new", "changed", "done", "open", "gone"),
    *("reminders", "reminders_gone", "lists", "lists_gone"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One turn's words; those of an answer are said only when the last reply asked."""

    words: str
    if_asked: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller keeps before the call, as rows of the file."""

    lists: list[str]
    todos: list[Row]
    reminders: list[Row]


@dataclass(frozen=True, slots=True)
class Command:
    """`ends`: each as good as the others. `part` is one of PARTS."""

    id: str
    kind: str
    part: str
    given: Given
    say: list[Said]
    ends: list[Row]
    says: list[str] = field(default_factory=list)
    hides: list[str] = field(default_factory=list)
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """Who calls and when: `now` is in `zone`, the caller's. `stranger` keeps other rows."""

    caller: str
    now: datetime
    zone: ZoneInfo
    given: Given
    stranger: str
    strangers: Given


def scene() -> Scene:
    data = _read("given")
    zone = ZoneInfo(data["zone"])
    other = data["stranger"]
    return Scene(
        data["caller"], moment(data["now"], zone), zone, _given(data), other["name"], _given(other)
    )


def commands() -> list[Command]:
    """All commands, the open part first. Raises ValueError for a field that is not known."""
    usual = scene().given
    return [_command(row, part, usual) for part in PARTS for row in _read(part)]


def moment(value: Any, zone: ZoneInfo) -> datetime:
    """YAML's dates are text or `date`; a day alone is its noon."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    if is_day(text):
        text += "T12:00"
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def is_day(value: Any) -> bool:
    return len(str(value)) == len("2027-03-10")


def _read(name: str) -> Any:
    return yaml.load((SET / f"{name}.yaml").read_text(encoding="utf-8"), Loader=_Loader)


class _Loader(yaml.SafeLoader):
    """Dates stay text, so that a day alone can be told from its midnight."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _command(row: Row, part: str, usual: Given) -> Command:
    ends = [row.get("after") or {}, *row.get("or", [])]
    unknown = set(row) - _FIELDS | {key for end in ends for key in end} - _ENDS
    if unknown:
        raise ValueError(f"{row['id']}: unknown field {', '.join(sorted(unknown))}")
    return Command(
        id=row["id"],
        kind=row["kind"],
        part=part,
        given=_given(row["given"]) if "given" in row else usual,
        say=[_said(turn) for turn in row["say"]],
        ends=ends,
        says=list(row.get("says", [])),
        hides=list(row.get("hides", [])),
        asks=bool(row.get("asks")),
    )


def _said(turn: str | Row) -> Said:
    return Said(turn["if_asked"], True) if isinstance(turn, dict) else Said(turn)


def _given(row: Row) -> Given:
    return Given(row.get("lists", []), row.get("todos", []), row.get("reminders", []))
