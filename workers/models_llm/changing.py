"""Readings that change one todo: when it is due, its title, notes, tags, list or who does it."""

from __future__ import annotations

import re
from datetime import datetime

from todo import dates
from workers.models_llm import hearing, replies, slots
from workers.models_llm.plans import Handler, Plan, Slots, one

_SAME_HOUR = re.compile(r" (?:and )?(?:at )?(?:the )?same (?:time|hour)(?: as before)?$", re.I)


def due(said: Slots, now: datetime) -> Plan | None:
    # A new day keeps the hour anyway.
    when, text = _SAME_HOUR.sub("", str(said["when"])), str(said["which"])
    # "set the volume to ten" moves nothing.
    if said.get("loose") and re.fullmatch(r"[\d ]+", dates.plain(when)):
        return None
    if not dates.is_date(when, now) or not slots.names_todo(text):
        return None
    text = re.sub(r" (?:due date|deadline|date|due|back|forward|up)$", "", text, flags=re.I)
    text = re.sub(r"^(?:back|forward|up) ", "", text, flags=re.I)
    moved_from = re.match(r"(?P<which>.+) from (?P<day>.+)$", text, re.I)
    if moved_from and dates.is_date(moved_from["day"], now):
        text = moved_from["which"]
    # "is back at nine": the words before the hour may hold the day.
    which, phrase = dates.cut(text, now)
    if phrase and dates.is_date(f"{phrase} {when}", now) and which:
        text, when = which, f"{phrase} {when}"
    meant = dates.parse(when, now)
    key = "repeat" if meant and meant.repeat else "due"
    return one("change_todo", which=slots.which(text), **{key: when})


def due_open(said: Slots, now: datetime) -> Plan | None:
    """ "move the dentist", with or without a day at its end."""
    if not slots.names_todo(said["which"]):
        return None
    which, when = dates.cut(said["which"], now)
    return due({"which": which, "when": when}, now) if when else Plan(say=replies.MOVE_WHEN)


def shift(said: Slots, now: datetime) -> Plan | None:
    """ "by three days": the tool counts from when it is due."""
    which, by = str(said["which"]), str(said.get("delta", ""))
    words = which.split()
    if not by:  # "make the meeting half an hour later": the words before do not say where it ends
        tails = (n for n in range(1, len(words)) if dates.is_date(f"in {_from(words, n)}", now))
        place = next(tails, len(words))
        which, by = " ".join(words[:place]), _from(words, place)
    if not by or not slots.names_todo(which) or not dates.is_date(f"in {by}", now):
        return None
    way = "earlier" if said.get("earlier") else "later"
    return one("change_todo", which=slots.which(which), due=f"{by} {way}")


def _from(words: list[str], place: int) -> str:
    return " ".join(words[place:])


def change(key: str, slot: str = "") -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        if not slots.names_todo(said["which"]):
            return None
        value = said[slot or key]
        return one("change_todo", which=slots.which(said["which"]), **{key: value})

    return handle


def priority(said: Slots, now: datetime) -> Plan | None:
    if re.search(r" (?:to|a|as|the|with|on|at|is|has)$", said["which"]):
        return None
    return change("priority")(said, now)


def rename(said: Slots, now: datetime) -> Plan | None:
    said = _renamed(said)
    title = str(said["title"]).strip()
    if re.search(r"\blist$", said["which"], re.I):
        return Plan(say=replies.NOT_RENAME_LIST)
    if dates.is_date(title, now) or re.search(r" (?:list|priority)$", title):
        return None
    if not slots.names_todo(said["which"]):
        return None
    which = hearing.corrected_item(slots.which(said["which"]))
    return one("change_todo", which=which, title=hearing.corrected_item(title))


def _renamed(said: Slots) -> Slots:
    """ "rename a to b to a to c": both names mostly begin with the same word."""
    words = f"{said['which']} to {said['title']}".split()
    first = re.sub(r"^(?:the|my) ", "", str(said["which"]), flags=re.I).split()[0]
    for place in range(1, len(words) - 1):
        if words[place] == "to" and words[place + 1].lower() == first.lower():
            return {"which": " ".join(words[:place]), "title": " ".join(words[place + 1 :])}
    return said


def note(said: Slots, now: datetime) -> Plan | None:
    which, note = str(said["which"]), str(said.get("note", ""))
    if not slots.names_todo(which):
        return None
    if not note:
        which, note = _apart(which)
    note = re.sub(r"^(?:that says|saying|that|with|to say|say) (?=\w)", "", note.strip(" ,:"))
    if not note:
        return Plan(say=replies.NOTE_WHAT)
    return one("change_todo", which=slots.which(which), add_note=note)


def _apart(text: str) -> tuple[str, str]:
    """ "number four bring the keys", "the dentist: bring the card": where the name ends."""
    found = re.match(r"((?:the )?[^:,]+)[:,] (.+)", text) or re.match(
        r"((?:todo |task )?number \w+|it|that|that one|the last one|(?:the|my) \w+)\s+(.+)",
        text,
        re.I,
    )
    return (found[1], found[2]) if found else (text, "")


def tag(key: str) -> Handler:
    def handle(said: Slots, now: datetime) -> Plan | None:
        if not slots.names_todo(said["which"]):
            return None
        if re.search(r" (?:as|with|from|to) ", said["tag"]):
            return None
        tags = [tag.strip() for tag in re.split(r",| and ", said["tag"]) if tag.strip()]
        return one("change_todo", which=slots.which(said["which"]), **{key: tags})

    return handle


def assign(said: Slots, now: datetime) -> Plan | None:
    who = slots.person(said["person"])
    if not slots.is_person(who) or not slots.names_todo(said["which"]):
        return None
    return one("change_todo", which=slots.which(said["which"]), assignee=who)


def relist(said: Slots, now: datetime) -> Plan | None:
    if not slots.is_list_name(said["list"]) or not slots.names_todo(said["which"]):
        return None
    name = slots.list_name(said["list"]) or "todo"
    return one("change_todo", which=slots.which(said["which"]), list=name)


def repeat(said: Slots, now: datetime) -> Plan | None:
    which, until = str(said["which"]), str(said.get("until", ""))
    if not until:
        which, until = dates.cut(which, now)
    meant = dates.parse(until, now) if until and dates.is_date(until, now) else None
    if meant is None or not meant.repeat or not slots.names_todo(which):
        return None
    return one("change_todo", which=slots.which(which), repeat=until)
