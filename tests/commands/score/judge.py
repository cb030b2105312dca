"""Whether what changed is what a command must change, and nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from tests.commands.score.picture import Changes, Row
from tests.commands.state import close

_NEW_TODO = {
    **{"due": "none", "list": "", "priority": "normal", "tags": []},
    **{"assignee": "", "repeat": "", "notes": ""},
}
_NEW_REMINDER = {"repeat": ""}
Match = Callable[[Any, Any], bool]


def complaints(changes: Changes, ends: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong against the end that fits best; empty when one fits."""
    return min((_against(changes, end) for end in ends), key=len)


def _against(changes: Changes, end: dict[str, Any]) -> list[str]:
    todo, reminder = _row(_NEW_TODO, "title"), _row(_NEW_REMINDER, "text")
    return [
        *_paired("new todo", end.get("new", []), changes.new, todo),
        *_paired("done", end.get("done", []), _titles(changes.done), _is),
        *_paired("reopened", end.get("open", []), _titles(changes.reopened), _is),
        *_paired("deleted", end.get("gone", []), _titles(changes.gone), _is),
        *_paired("changed", list(end.get("changed", {}).items()), changes.changed, _edited),
        *_paired("reminder", end.get("reminders", []), changes.reminders, reminder),
        *_paired(
            "reminder cancelled",
            end.get("reminders_gone", []),
            [row["text"] for row in changes.reminders_gone],
            _is,
        ),
        *_paired("new list", end.get("lists", []), changes.lists, _is),
        *_paired("list deleted", end.get("lists_gone", []), changes.lists_gone, _is),
    ]


def _paired(what: str, wanted: list[Any], found: Sequence[Any], fits: Match) -> list[str]:
    """Each wanted with one found that fits; what is left of either is wrong."""
    left, missing = list(found), []
    for one in wanted:
        fitting = [row for row in left if fits(one, row)]
        if fitting:
            left.remove(fitting[0])
        else:
            missing.append(one)
    return [f"{what} missing: {one}" for one in missing] + [
        f"{what} not wanted: {_brief(row)}" for row in left
    ]


def _row(usual: dict[str, Any], name: str) -> Match:
    def fits(wanted: Row, found: Row) -> bool:
        whole = {**usual, **wanted}
        return all(_value(key, whole[key], found[key], key == name) for key in whole)

    return fits


def _edited(wanted: tuple[str, Row], found: tuple[Row, Row, list[str]]) -> bool:
    title, values = wanted
    old, new, keys = found
    return (
        _plain(old["title"]) == _plain(title)
        and set(keys) <= set(values)
        and all(_value(key, value, new[key], key == "title") for key, value in values.items())
    )


def _value(key: str, wanted: Any, found: Any, named: bool) -> bool:
    if key == "tags":
        return found in [sorted(one) for one in wanted] if wanted else not found
    if isinstance(wanted, list):
        return any(_value(key, one, found, named) for one in wanted)
    if wanted == "any":
        return True
    if key == "due":
        return str(found).startswith(str(wanted))
    if key == "repeat":
        return bool(re.search(wanted, found)) if wanted else not found
    if named or (key == "notes" and wanted):
        return close(_plain(found), _plain(str(wanted)))
    return bool(_plain(str(found)) == _plain(str(wanted)))


def _is(wanted: Any, found: str) -> bool:
    return _value("", wanted, found, False)


def _plain(text: str) -> str:
    """Without capitals, marks, articles and a leading "to"."""
    words = re.findall(r"[\w']+", text.lower().replace("’", "'"))
    words = [word for word in words if word not in ("a", "an", "the")]
    return " ".join(words[1:] if words[:1] == ["to"] else words)


def _titles(rows: Sequence[Row]) -> list[str]:
    return [row["title"] for row in rows]


def _brief(found: Any) -> str:
    if isinstance(found, tuple):
        old, new, keys = found
        return f"{old['title']!r} " + ", ".join(f"{key}: {old[key]} -> {new[key]}" for key in keys)
    if isinstance(found, dict):
        said = {k: v for k, v in found.items() if v not in ("", [], "none", "normal", False)}
        return ", ".join(f"{key}: {value}" for key, value in said.items())
    return repr(found)
