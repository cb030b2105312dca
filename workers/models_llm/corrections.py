"""Answers that only mean something after what was said before: yes, no, which one, "I said ..."."""

from __future__ import annotations

import re
from typing import Any

from todo import dates
from workers.models_llm import replies, slots
from workers.models_llm.dialogue import Dialogue, ToolUse
from workers.models_llm.intents import Reading
from workers.models_llm.plans import Call, Plan

_CHOICE = re.compile(
    r"(?:the |number |my )*(?:first|second|third|fourth|fifth|last|one|two|three|four|five|six|\d+"
    r"(?:st|nd|rd|th)?|all|both|all of them|both of them|everything|neither|none|none of them)"
    r"(?: (?:one|todo|of them))?(?: and (?:the )?\w+(?: one)?)?",
    re.IGNORECASE,
)
_TEXT_KEYS = (
    *("due", "when", "title", "text", "add_note", "notes", "repeat", "remind"),
    *("which", "list", "assignee"),
)
_LIST = re.compile(r"(?:on |onto |to |for |in )?(?:the |my )?(?P<name>.+) list", re.IGNORECASE)


def answer(reading: Reading, dialogue: Dialogue) -> Plan | None:
    """What yes, no or a correction means here; None when the reading is none of these."""
    if reading.intent in ("yes", "no"):
        if dialogue.question is not None:
            return _answered(dialogue.question, reading.intent)
        return Plan(say=replies.NOTHING_ASKED if reading.intent == "yes" else replies.LEFT_ALONE)
    if reading.intent == "cancel_that":
        return _cancelled(dialogue)
    if reading.intent == "okay":
        asked = dialogue.question
        return _answered(asked, "yes") if asked else Plan(say=replies.LEFT_ALONE)
    if reading.intent == "correct":
        return _corrected(reading.slots, dialogue)
    if reading.intent == "due" and _moves_reminder(reading.slots, dialogue):
        return _corrected({"new": reading.slots["when"]}, dialogue)
    if reading.intent == "repeat_answer":
        before = dialogue.previous
        return Plan(say=before.reply if before and before.reply else replies.HERE)
    return None


def choice(text: str, dialogue: Dialogue, is_command: bool) -> Plan | None:
    """Words that choose among what a tool offered."""
    question = dialogue.question
    if question is None:
        return None
    details = question.result.get("question")
    kind = details.get("kind") if isinstance(details, dict) else ""
    if _CHOICE.fullmatch(text) and kind == "which":
        return _answered(question, text)
    if kind == "which" and not is_command and len(text.split()) <= 8:
        return _answered(question, text).guessed()
    return None


def _answered(question: ToolUse, words: str) -> Plan:
    arguments: dict[str, Any] = {"answer": words}
    details = question.result.get("question")
    if isinstance(details, dict) and details.get("id"):
        arguments["question"] = str(details["id"])
    return Plan([Call("answer_question", arguments)])


def _moves_reminder(said: dict[str, Any], dialogue: Dialogue) -> bool:
    """ "Make that six": said of a reminder, which has no other way to move."""
    use = dialogue.last_change
    about_it = slots.which(str(said.get("which", ""))) == "last"
    return about_it and use is not None and use.name == "add_reminder"


def _cancelled(dialogue: Dialogue) -> Plan:
    """ "cancel that": the question, else the last change."""
    if dialogue.question is not None:
        return _answered(dialogue.question, "no")
    if dialogue.last_change is not None:
        return Plan([Call("undo_last_change")])
    return Plan(say=replies.LEFT_ALONE)


def _corrected(said: dict[str, Any], dialogue: Dialogue) -> Plan | None:
    new, old = str(said["new"]).strip(" ,"), str(said.get("old", "")).strip(" ,")
    use = dialogue.last_change
    if not old and re.match(r"not\b", new, re.IGNORECASE):
        old, new = _not_this(str(said.get("written", new)), dialogue)
        if not new:
            return None
    if use is None or (old and _plain(new) == _plain(old)):
        return Plan(say=replies.NOT_CORRECTED if use else replies.WHAT_IS_MEANT)
    arguments = _flat(use.arguments)
    changed = _replaced(arguments, new, old, dialogue) if old else _whole(arguments, new, dialogue)
    if not changed:
        return Plan(say=replies.NOT_CORRECTED)
    return _change(use, arguments, changed).guessed()


def _not_this(words: str, dialogue: Dialogue) -> tuple[str, str]:
    """ "not thursday, friday": the wrong words and the right ones; empty when that is unclear."""
    words = re.sub(r"^not ", "", words.strip(" ,"), flags=re.IGNORECASE)
    parts = [part for part in re.split(r"\s*[,;.]\s*|\s+but\s+", words) if part]
    if len(parts) == 2:
        return parts[0], parts[1]
    for place in [found.start() for found in re.finditer(" ", words)]:
        old, new = words[:place], words[place + 1 :]
        if all(dates.is_date(part, dialogue.now) for part in (old, new)):
            return old, new
    return "", ""


def _flat(arguments: dict[str, Any]) -> dict[str, Any]:
    items = arguments.get("items")
    if isinstance(items, list):
        return dict(items[0]) if len(items) == 1 and isinstance(items[0], dict) else {}
    return dict(arguments)


def _replaced(arguments: dict[str, Any], new: str, old: str, dialogue: Dialogue) -> dict[str, Any]:
    """The fields that held the wrong words, with the right ones in their place."""
    for key in _TEXT_KEYS:
        value = arguments.get(key)
        if isinstance(value, str) and (fixed := _swap(value, old, new)):
            return {key: fixed}
    # Misheard both times: one number in all of it is the one that was meant.
    found = [
        (key, value, number)
        for key in _TEXT_KEYS
        if isinstance(value := arguments.get(key), str)
        for number in _numbers(value)
    ]
    if _is_number(new) and _is_number(old) and len(found) == 1:
        key, value, number = found[0]
        return {key: _swap(value, number, new)}
    return {}


def _whole(arguments: dict[str, Any], new: str, dialogue: Dialogue) -> dict[str, Any]:
    """A correction that does not say what was wrong: a date corrects the date, words the title."""
    if _is_number(new):
        for key in _TEXT_KEYS:
            value = arguments.get(key)
            numbers = _numbers(value) if isinstance(value, str) else []
            if isinstance(value, str) and len(numbers) == 1:
                return {key: _swap(value, numbers[0], new)}
        return {}
    if dates.is_date(new, dialogue.now):
        key = "when" if "when" in arguments else "due"
        return {key: new} if key in arguments or "title" in arguments else {}
    if (named := _LIST.fullmatch(new)) and slots.is_list_name(named["name"]):
        return {"list": slots.list_name(named["name"])} if "text" not in arguments else {}
    for key in ("title", "text", "which"):
        if key in arguments and arguments[key] != "last" and slots.names_todo(new):
            return {key: slots.which(new) if key == "which" else new}
    return {}


def _change(use: ToolUse, arguments: dict[str, Any], changed: dict[str, Any]) -> Plan:
    if use.name == "add_reminder":
        again = {**use.arguments, **changed}
        return Plan([Call("undo_last_change"), Call("add_reminder", again)])
    if "which" in changed:
        # Something else was meant: first put right what was done to the wrong one.
        return Plan([Call("undo_last_change"), Call(use.name, {**use.arguments, **changed})])
    if use.name not in ("add_todos", "change_todo"):
        return Plan(say=replies.NOT_CORRECTED)
    if "notes" in changed or "add_note" in changed:
        return Plan([Call("undo_last_change"), Call(use.name, _renewed(use.arguments, changed))])
    return Plan([Call("change_todo", {"which": "last", **changed})])


def _renewed(arguments: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    items = arguments.get("items")
    if isinstance(items, list):
        return {**arguments, "items": [{**items[0], **changed}]}
    return {**arguments, **changed}


def _swap(value: str, old: str, new: str) -> str:
    """`value` with `old` replaced, however its numbers are written; empty when it is not in it."""
    for form in dict.fromkeys([old, _plain(old)]):
        fixed, count = re.subn(rf"(?<!\w){re.escape(form)}(?!\w)", new, value, flags=re.IGNORECASE)
        if count:
            return fixed
    plain_value, plain_old = _plain(value), _plain(old)
    if plain_old and re.search(rf"(?<!\w){re.escape(plain_old)}(?!\w)", plain_value):
        return re.sub(rf"(?<!\w){re.escape(plain_old)}(?!\w)", new, plain_value)
    return ""


def _plain(text: str) -> str:
    return dates.plain(text)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:th)?(?::\d+)?(?: (?:am|pm))?", _plain(text)))


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", _plain(text))
