"""From a reading of the caller's words to tool calls. A handler answers None when the slots cannot
mean what the intent says ("tuesday" is no list), and the next reading is tried."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from todo import dates
from workers.models_llm import adding, hearing, replies, slots
from workers.models_llm.intents import Reading


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """`calls` in the order spoken; `say` before their results, or alone."""

    calls: list[Call] = field(default_factory=list)
    say: str = ""


Slots = dict[str, Any]
_ERRAND = re.compile(
    r"(?:buy|pay|pick up|water|clean|fix|wash|renew|prepare|feed|walk the|visit|return the|collect|"
    r"submit|repair|paint the|write to|wish|get the|drop off|bring the|print|sign the|sweep|mow|vacuum)\b"
    r" ?\S",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"(?:it|it's|that's|this|these|those|there|here|my \w+ (?:is|are|was)|i'm|we|he|she|they|the \w+ "
    r"(?:is|are|was)|no|not|yes|maybe|thank|see you|good|hello|hi|okay)\b",
    re.IGNORECASE,
)
Handler = Callable[[Slots, datetime], Plan | None]


def plan_of(reading: Reading, now: datetime) -> Plan | None:
    handler = HANDLERS.get(reading.intent)
    return handler(reading.slots, now) if handler else None


def _one(tool: str, **arguments: Any) -> Plan:
    return Plan(
        [Call(tool, {key: value for key, value in arguments.items() if value not in ("", None)})]
    )


def _add(said: Slots, now: datetime) -> Plan | None:
    item = str(said["item"])
    if re.fullmatch(r"(?:a |an |new |another )*(?:todo|task|item|list|reminder)s?", item, re.I):
        return Plan(say=replies.ADD_WHAT)
    if re.match(
        r"(?:add|remind me|set a reminder|(?:create|make) an? (?:new )?(?:todo|list))\b", item, re.I
    ):
        return None
    list_name = slots.list_name(said.get("list", ""))
    if "list" in said and list_name and not slots.is_list_name(said["list"]):
        return None
    items = adding.items(item, now, list_name=list_name, priority=said.get("priority", ""))
    return _one("add_todos", items=items) if items else Plan(say=replies.ADD_WHAT)


def _remind(said: Slots, now: datetime) -> Plan | None:
    text, when = str(said["text"]), str(said.get("when", ""))
    if when and not dates.is_date(when, now):
        return None
    if dates.is_date(text, now) or re.fullmatch(r"(?:to|about|of|that)", text, re.I):
        return None
    if not when:
        text, when = dates.cut(text, now)
        text = re.sub(r" (?:as|at)$", "", text)
    text = re.sub(r"^(?:to|that|about|of|for) (?=\w)", "", text.strip(" ,"), flags=re.IGNORECASE)
    text = hearing.corrected_item(re.sub(r"^(?:I|i) (?:have|need|must|should) (?:to )?", "", text))
    if not when:
        return Plan(say=replies.REMIND_WHEN)
    return _reminder(text, when)


def _reminder(text: str, when: str) -> Plan:
    return _one("add_reminder", text=text, when=when)


def _ring(said: Slots, now: datetime) -> Plan | None:
    when = str(said["when"])
    if not dates.is_date(when, now):
        return None
    text = str(said.get("text") or "the call you asked for")
    if text == "wake up" and not re.search(r"\b(?:[ap]m|noon|midnight|evening|night)\b", when):
        early = f"{when} in the morning"
        when = early if dates.is_date(early, now) and "morning" not in when else when
    plan = _reminder(text, when)
    return Plan(plan.calls, replies.NO_RING)


def _remind_open(said: Slots, now: datetime) -> Plan | None:
    if "when" in said and not dates.is_date(said["when"], now):
        return None
    return Plan(say=replies.REMIND_WHAT if "when" in said else replies.REMIND_WHEN)


def _which(tool: str) -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        if not slots.names_todo(said["which"]):
            return None
        return _one(tool, which=slots.which(said["which"]))

    return handle


def _complete(said: Slots, now: datetime) -> Plan | None:
    text = str(said["which"])
    if re.search(r" (?:as|is|has|not|was|to|for|and)$", text) or not slots.names_todo(text):
        return None
    return _one("complete_todos", which=slots.which(text))


def _delete(said: Slots, now: datetime) -> Plan | None:
    text = str(said["which"])
    if not slots.names_todo(text) or re.search(r"\breminders?\b", text, re.I):
        return None
    if "list" in said and not slots.is_list_name(said["list"]):
        return None
    return _one("delete_todos", which=slots.which(text))


def _due(said: Slots, now: datetime) -> Plan | None:
    when, text = str(said["when"]), str(said["which"])
    # "set the volume to ten" moves nothing.
    if said.get("loose") and re.fullmatch(r"[\d ]+", dates.plain(when)):
        return None
    if not dates.is_date(when, now) or not slots.names_todo(text):
        return None
    text = re.sub(r" (?:due date|deadline|date|due|back|forward|up)$", "", text, flags=re.I)
    text = re.sub(r"^(?:back|forward|up) ", "", text, flags=re.I)
    # "is back at nine": the words before the hour may hold the day.
    which, phrase = dates.cut(text, now)
    if phrase and dates.is_date(f"{phrase} {when}", now) and which:
        text, when = which, f"{phrase} {when}"
    meant = dates.parse(when, now)
    key = "repeat" if meant and meant.repeat else "due"
    return _one("change_todo", which=slots.which(text), **{key: when})


def _due_open(said: Slots, now: datetime) -> Plan | None:
    """ "move the dentist", with or without a day at its end."""
    if not slots.names_todo(said["which"]):
        return None
    which, when = dates.cut(said["which"], now)
    return _due({"which": which, "when": when}, now) if when else Plan(say=replies.MOVE_WHEN)


def _change(key: str, slot: str = "") -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        if not slots.names_todo(said["which"]):
            return None
        value = said[slot or key]
        return _one("change_todo", which=slots.which(said["which"]), **{key: value})

    return handle


def _priority(said: Slots, now: datetime) -> Plan | None:
    if re.search(r" (?:to|a|as|the|with)$", said["which"]):
        return None
    return _change("priority")(said, now)


def _rename(said: Slots, now: datetime) -> Plan | None:
    title = str(said["title"]).strip()
    if re.search(r"\blist$", said["which"], re.I):
        return Plan(say=replies.NOT_RENAME_LIST)
    if dates.is_date(title, now) or re.search(r" (?:list|priority)$", title):
        return None
    if not slots.names_todo(said["which"]):
        return None
    which = hearing.corrected_item(slots.which(said["which"]))
    return _one("change_todo", which=which, title=hearing.corrected_item(title))


def _note(said: Slots, now: datetime) -> Plan | None:
    which, note = str(said["which"]), str(said.get("note", ""))
    if not note:
        which, note = _apart(which)
    note = re.sub(r"^(?:that says|saying|that|with|to say|say) (?=\w)", "", note.strip(" ,:"))
    if not note:
        return Plan(say=replies.NOTE_WHAT)
    return _one("change_todo", which=slots.which(which), add_note=note)


def _apart(text: str) -> tuple[str, str]:
    """ "number four bring the keys", "the dentist: bring the card": where the name ends."""
    found = re.match(r"((?:the )?[^:,]+)[:,] (.+)", text) or re.match(
        r"((?:todo |task )?number \w+|it|that|that one|the last one|(?:the|my) \w+)\s+(.+)",
        text,
        re.I,
    )
    return (found[1], found[2]) if found else (text, "")


def _tag(key: str) -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        if not slots.names_todo(said["which"]):
            return None
        if re.search(r" (?:as|with|from|to) ", said["tag"]):
            return None
        tags = [tag.strip() for tag in re.split(r",| and ", said["tag"]) if tag.strip()]
        return _one("change_todo", which=slots.which(said["which"]), **{key: tags})

    return handle


def _assign(said: Slots, now: datetime) -> Plan | None:
    who = slots.person(said["person"])
    if not slots.is_person(who) or not slots.names_todo(said["which"]):
        return None
    return _one("change_todo", which=slots.which(said["which"]), assignee=who)


def _relist(said: Slots, now: datetime) -> Plan | None:
    if not slots.is_list_name(said["list"]) or not slots.names_todo(said["which"]):
        return None
    name = slots.list_name(said["list"]) or "todo"
    return _one("change_todo", which=slots.which(said["which"]), list=name)


def _repeat(said: Slots, now: datetime) -> Plan | None:
    which, until = str(said["which"]), str(said.get("until", ""))
    if not until:
        which, until = dates.cut(which, now)
    meant = dates.parse(until, now) if until and dates.is_date(until, now) else None
    if meant is None or not meant.repeat or not slots.names_todo(which):
        return None
    return _one("change_todo", which=slots.which(which), repeat=until)


def _undo(said: Slots, now: datetime) -> Plan | None:
    return _one("undo_last_change")


def _list(tool: str) -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        name = slots.list_name(said.get("words") or said["list"])
        if not name or not slots.is_list_name(said["list"]):
            return None
        return _one(tool, name=name)

    return handle


def _find(said: Slots, now: datetime) -> Plan | None:
    when = str(said.get("when", ""))
    done = said.get("done")
    if when and when != "overdue" and not _is_day(when, now):
        return None
    if "list" in said and not (slots.list_name(said["list"]) and slots.is_list_name(said["list"])):
        return None
    if "person" in said and not slots.is_person(said["person"]):
        return None
    if "words" in said and not slots.names_todo(said["words"]):
        return None
    if "priority" in said:
        return Plan(say=replies.NOT_BY_PRIORITY)
    if "number" in said:
        named = slots.which(f"number {said['number']}")
        return _one("find_todos", words=named) if re.fullmatch(r"number \w+", named) else None
    words = slots.which(said["words"]) if "words" in said else ""
    return _one(
        "find_todos",
        words=words,
        when=_spoken_day(when, bool(done)),
        list=slots.list_name(said.get("list", "")),
        tag=said.get("tag"),
        assignee=slots.person(said["person"]) if "person" in said else None,
        done=True if done and not when else None,
        count_only=said.get("count_only"),
        about=said.get("about"),
    )


def _is_day(when: str, now: datetime) -> bool:
    return dates.is_date(when, now) and dates.span(when, now) is not None


def _spoken_day(when: str, done: bool) -> str:
    when = re.sub(
        r"^(?:on|for|in the|in|from) (?=\w)(?!\w+ (?:days|weeks|hours))", "", when, flags=re.I
    )
    return f"done {when}" if done and when else when


def _find_reminders(said: Slots, now: datetime) -> Plan | None:
    when = str(said.get("when", ""))
    if when and not _is_day(when, now):
        return None
    return _one("find_reminders", words=said.get("words"), when=_spoken_day(when, False))


def _cancel_reminders(said: Slots, now: datetime) -> Plan | None:
    return _one("cancel_reminders", which=slots.which(said["which"]))


def _clear_list(said: Slots, now: datetime) -> Plan | None:
    name = slots.list_name(said.get("list", ""))
    if name and not slots.is_list_name(name):
        return None
    return _one("delete_todos", which=f"everything on the {name} list" if name else "everything")


def bare_item(text: str, now: datetime) -> Plan | None:
    """A todo said without "add": it begins with what one does, or names an hour."""
    items = adding.items(text, now) if slots.names_todo(text) else []
    if not items:
        return None
    due = str(items[0].get("due", ""))
    meant = dates.parse(due, now) if due else None
    short = len(items[0]["title"].split()) <= 6 and not _STATEMENT.match(text)
    if _ERRAND.match(text) or (meant and meant.has_time and short):
        return _one("add_todos", items=items)
    return None


def _say(text: str) -> Handler:
    return lambda said, now: Plan(say=text)


HANDLERS: dict[str, Handler] = {
    "add": _add,
    "add_open": _say(replies.ADD_WHAT),
    "remind": _remind,
    "ring": _ring,
    "ring_open": _say(replies.REMIND_WHEN),
    "remind_open": _remind_open,
    "find_reminders": _find_reminders,
    "cancel_reminders": _cancel_reminders,
    "complete": _complete,
    "reopen": _which("reopen_todo"),
    "delete": _delete,
    "due": _due,
    "due_open": _due_open,
    "undated": lambda said, now: (
        _one("change_todo", which=slots.which(said["which"]), due="none")
        if slots.names_todo(said["which"])
        else None
    ),
    "priority": _priority,
    "clear_list": _clear_list,
    "unassign": lambda said, now: (
        _one("change_todo", which=slots.which(said["which"]), assignee="nobody")
        if slots.names_todo(said["which"])
        else None
    ),
    "rename": _rename,
    "note": _note,
    "tag": _tag("add_tags"),
    "untag": _tag("remove_tags"),
    "assign": _assign,
    "relist": _relist,
    "repeat": _repeat,
    "undo": _undo,
    "create_list": _list("create_list"),
    "create_list_open": _say(replies.LIST_NAME),
    "delete_list": _list("delete_list"),
    "show_lists": lambda said, now: _one("show_lists"),
    "find": _find,
    "find_more": _find,
    "thanks": _say(replies.THANKS),
    "end_call": lambda said, now: _one("end_call"),
    "stop": _say(replies.STOPPED),
    "greet": _say(replies.GREETING),
    "how_are_you": _say(replies.HERE),
    "help": _say(replies.HELP),
    "who": _say(replies.WHO),
    "time": lambda said, now: Plan(say=replies.the_time(now)),
    "day": lambda said, now: Plan(say=replies.the_day(now)),
    "vague": _say(replies.TO_DO_WHAT),
}
