"""Todos said as statements ("I have an eye test on monday at ten", "we are out of milk"), and
statements that sound like todos and are none ("I have to go now", "that was great")."""

from __future__ import annotations

import re
from datetime import datetime

from todo import dates
from workers.models_llm import adding, slots
from workers.models_llm.plans import Plan, Slots, one

_NO_TODO = re.compile(
    r"(?:it|this|that|yourself|myself|me|you|when|where|why|how|who|whether|if|because|up)\b.*"
    # What people have to do while they talk.
    r"|(?:say|admit|tell you|ask you|agree|disagree|confess|laugh|apologi[sz]e)\b.*"
    r"|(?:go|run|leave|be going|get going|be off|head (?:out|off)|hang up|stop|sleep|rest|think|"
    r"talk|see|wait|know|hurry|be honest|be quick)"
    r"(?: (?:now|then|soon|again|about (?:it|that)|some ?time|home|to (?:bed|sleep|work)))*",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\b(?:was|were|is|are|am|had|has|did|does|said|says|called|went|came|told|thinks|thought|"
    r"left|got|saw|likes|wants|wanted|it's|that's|should|isn't|wasn't|didn't|doesn't)\b",
    re.IGNORECASE,
)


def is_no_todo(item: str) -> bool:
    """Words after "add" or "I have to" that nobody wants on a list."""
    return _NO_TODO.fullmatch(item.strip()) is not None


def tells(text: str) -> bool:
    """Whether it tells how something is or was, and wishes nothing."""
    return _TOLD.search(text) is not None


def appointed(said: Slots, now: datetime) -> Plan | None:
    """ "I have an eye test on monday at ten": kept only with its hour, "a cold today" is not."""
    items = adding.items(str(said["item"]), now)
    return one("add_todos", items=items) if items and _hour(items[0], now) else None


def wanted(said: Slots, now: datetime) -> Plan | None:
    """ "I want to run every tuesday": with a day it is a plan, without one a wish."""
    item = str(said["item"])
    # "I am going to the cinema tonight" only tells.
    told = is_no_todo(item) or tells(item) or re.match(r"(?:the|a|an|my)\b", item, re.IGNORECASE)
    items = [] if told else adding.items(item, now)
    dated = items and ("due" in items[0] or "repeat" in items[0])
    return one("add_todos", items=items) if dated else None


def needed(said: Slots, now: datetime) -> Plan | None:
    """ "We are out of milk", "I need bread and butter": only what a shop sells by that name."""
    item = re.sub(r"^(?:some|more|any|a|an|the) ", "", str(said["item"]), flags=re.IGNORECASE)
    words = [word for word in re.split(r",? and |, | ", item) if word]
    if not words or not all(word.lower() in adding.GROCERIES for word in words):
        return None
    return one("add_todos", items=adding.items(item, now))


def put_on(said: Slots, now: datetime) -> Plan | None:
    """ "Pop eggs on the list": verbs that add only because a list is named."""
    name = slots.list_name(said.get("list", ""))
    if (name and not slots.is_list_name(name)) or is_no_todo(str(said["item"])):
        return None
    items = adding.items(str(said.get("written", said["item"])), now, list_name=name)
    return one("add_todos", items=items) if items else None


def before(said: Slots, now: datetime) -> Plan | None:
    """ "Every morning at seven add take the pills"."""
    when, item = str(said["when"]), str(said["item"])
    if not dates.is_date(when, now) or is_no_todo(item):
        return None
    items = adding.items(f"{item} {when}", now)
    return one("add_todos", items=items) if items else None


def _hour(item: dict[str, object], now: datetime) -> bool:
    when = dates.parse(str(item.get("due") or item.get("repeat") or ""), now)
    return when is not None and when.has_time and when.at > now
