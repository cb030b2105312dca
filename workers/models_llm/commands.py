"""From a reading of the caller's words to tool calls. A handler answers None when the slots cannot
mean what the intent says ("tuesday" is no list), and the next reading is tried."""

from __future__ import annotations

import re
from datetime import datetime

from todo import dates
from workers.models_llm import adding, changing, hearing, replies, several, slots, statements
from workers.models_llm.intents import Reading
from workers.models_llm.plans import Call, Handler, Plan, Slots, one

_ERRAND = re.compile(
    r"(?:buy|pay|pick up|water|clean|fix|wash|renew|prepare|feed|walk the|visit|return the|collect|"
    r"submit|repair|paint the|write to|wish|get the|drop off|bring the|print|sign the|sweep|mow|"
    r"vacuum)\b"
    r" ?\S",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"(?:it|it's|that's|this|these|those|there|here|my \w+ (?:is|are|was)|i'm|we|he|she|they|"
    r"the \w+ (?:is|are|was)|no|not|yes|maybe|thank|see you|good|hello|hi|okay)\b",
    re.IGNORECASE,
)


def plan_of(reading: Reading, now: datetime) -> Plan | None:
    handler = HANDLERS.get(reading.intent)
    return handler(reading.slots, now) if handler else None


def _add(said: Slots, now: datetime) -> Plan | None:
    item = str(said["item"])
    if re.fullmatch(r"(?:a |an |new |another )*(?:todo|task|item|list|reminder)s?", item, re.I):
        return Plan(say=replies.ADD_WHAT)
    if re.match(
        r"(?:add|remind me|set a reminder|(?:create|make) an? (?:new )?(?:todo|list))\b", item, re.I
    ):
        return None
    if statements.is_no_todo(item):
        return None
    list_name = slots.list_name(said.get("list", ""))
    if "list" in said and list_name and not slots.is_list_name(said["list"]):
        return None
    whole = str(said.get("written", item))
    items = adding.items(whole, now, list_name=list_name, priority=said.get("priority", ""))
    return one("add_todos", items=items) if items else Plan(say=replies.ADD_WHAT)


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
    return one("add_reminder", text=text, when=when)


def _remind_before(said: Slots, now: datetime) -> Plan | None:
    by, which = str(said["delta"]), str(said["which"])
    if not dates.is_date(f"in {by}", now) or not slots.names_todo(which):
        return None
    named = slots.which(which)
    return one("add_reminder", text=named, when=f"{by} before", about=named)


def _ring(said: Slots, now: datetime) -> Plan | None:
    when = str(said["when"])
    if not dates.is_date(when, now):
        return None
    text = str(said.get("text") or "the call you asked for")
    if text == "wake up" and not re.search(r"\b(?:[ap]m|noon|midnight|evening|night)\b", when):
        early = f"{when} in the morning"
        when = early if dates.is_date(early, now) and "morning" not in when else when
    plan = _reminder(text, when)
    return Plan(plan.calls, replies.RINGS)


def _remind_open(said: Slots, now: datetime) -> Plan | None:
    if "when" in said and not dates.is_date(said["when"], now):
        return None
    return Plan(say=replies.REMIND_WHAT if "when" in said else replies.REMIND_WHEN)


def _which(tool: str) -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        if not slots.names_todo(said["which"]):
            return None
        return one(tool, which=slots.which(said["which"]))

    return handle


def _complete(said: Slots, now: datetime) -> Plan | None:
    text = str(said["which"])
    if re.search(r" (?:as|is|has|not|was|to|for|and)$", text) or not slots.names_todo(text):
        return None
    return _each("complete_todos", text)


def _delete(said: Slots, now: datetime) -> Plan | None:
    text = str(said["which"])
    if not slots.names_todo(text) or re.search(r"\breminders?\b", text, re.I):
        return None
    if "list" in said and not slots.is_list_name(said["list"]):
        return None
    return _each("delete_todos", text)


def _each(tool: str, text: str) -> Plan:
    """ "the dentist and the plumber" is two todos, "number two and three" one call."""
    parts = re.split(r",? and (?=(?:the|my) \w)", text)
    if not all(re.match(r"(?:the|my) ", part, re.IGNORECASE) for part in parts):
        parts = [text]
    return Plan([Call(tool, {"which": slots.which(part)}) for part in parts])


def _undo(said: Slots, now: datetime) -> Plan | None:
    return one("undo_last_change")


def _list(tool: str) -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        name = slots.list_name(said.get("words") or said["list"])
        if not name or not slots.is_list_name(said["list"]):
            return None
        return one(tool, name=name)

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
        return one("find_todos", words=named) if re.fullmatch(r"number \w+", named) else None
    words = slots.which(said["words"]) if "words" in said else ""
    return one(
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
    return one("find_reminders", words=said.get("words"), when=_spoken_day(when, False))


def _cancel_reminders(said: Slots, now: datetime) -> Plan | None:
    return one("cancel_reminders", which=slots.which(said["which"]))


def _clear_list(said: Slots, now: datetime) -> Plan | None:
    name = slots.list_name(said.get("list", ""))
    if name and not slots.is_list_name(name):
        return None
    return one("delete_todos", which=f"everything on the {name} list" if name else "everything")


def counted_items(said: str, now: datetime) -> Plan | None:
    """ "Three things: call mum, pay the rent and buy milk", said without "add"."""
    text = several.without_opening(hearing.without_courtesy(" ".join(said.split()).strip(" .!")))
    items = adding.items(text, now, counted=True) if text else []
    return one("add_todos", items=items) if len(items) > 1 else None


def bare_item(text: str, now: datetime) -> Plan | None:
    """A todo said without "add": it begins with what one does, or names an hour."""
    if dates.is_date(text, now):
        return None
    items = adding.items(text, now) if slots.names_todo(text) else []
    if not items:
        return None
    due = str(items[0].get("due", ""))
    meant = dates.parse(due, now) if due else None
    if statements.tells(text):
        return None
    short = len(items[0]["title"].split()) <= 6 and not _STATEMENT.match(text)
    if _ERRAND.match(text) or (meant and meant.has_time and meant.at > now and short):
        return one("add_todos", items=items)
    return None


def _say(text: str) -> Handler:
    return lambda said, now: Plan(say=text)


HANDLERS: dict[str, Handler] = {
    "add": _add,
    "appointed": statements.appointed,
    "wanted": statements.wanted,
    "needed": statements.needed,
    "put_on": statements.put_on,
    "add_before": statements.before,
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
    "due": changing.due,
    "due_open": changing.due_open,
    "shift": changing.shift,
    "remind_before": _remind_before,
    "undated": lambda said, now: (
        one("change_todo", which=slots.which(said["which"]), due="none")
        if slots.names_todo(said["which"])
        else None
    ),
    "priority": changing.priority,
    "clear_list": _clear_list,
    "unassign": lambda said, now: (
        one("change_todo", which=slots.which(said["which"]), assignee="nobody")
        if slots.names_todo(said["which"])
        else None
    ),
    "rename": changing.rename,
    "note": changing.note,
    "tag": changing.tag("add_tags"),
    "untag": changing.tag("remove_tags"),
    "assign": changing.assign,
    "relist": changing.relist,
    "repeat": changing.repeat,
    "undo": _undo,
    "create_list": _list("create_list"),
    "create_list_open": _say(replies.LIST_NAME),
    "delete_list": _list("delete_list"),
    "show_lists": lambda said, now: one("show_lists"),
    "find": _find,
    "find_more": _find,
    "thanks": _say(replies.THANKS),
    "end_call": lambda said, now: one("end_call"),
    "stop": _say(replies.STOPPED),
    "greet": _say(replies.GREETING),
    "how_are_you": _say(replies.HERE),
    "help": _say(replies.HELP),
    "who": _say(replies.WHO),
    "time": lambda said, now: Plan(say=replies.the_time(now)),
    "day": lambda said, now: Plan(say=replies.the_day(now)),
    "vague": _say(replies.TO_DO_WHAT),
}
