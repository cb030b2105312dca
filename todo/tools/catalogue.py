"""Every tool: its name, what a model is told about it, its arguments, and what it may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from todo.actor import Actor
from todo.tools import (
    adding,
    answering,
    changing,
    finding,
    listing,
    reminding,
    removing,
    snoozing,
)
from todo.tools.answers import Answer
from todo.tools.arguments import Arguments

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """`reads`: changes nothing; `destructive`: may take something away (undo brings it back)."""

    name: str
    run: Callable[[Actor, Arguments], Answer]
    title: str
    description: str
    properties: Schema = field(default_factory=dict)
    required: tuple[str, ...] = ()
    reads: bool = False
    destructive: bool = False

    @property
    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": self.properties,
            "required": list(self.required),
            "additionalProperties": False,
        }


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _words(description: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": description}


_WHICH = (
    "The person's own words for it: words of the title (“the dentist one”), its number as shown"
    " (“number four”), words with a date (“the appointment on 14 may at noon”), “last” for the one"
    " just spoken of"
)
_DUE = (
    "When, in natural words (“tomorrow at five”, “next friday”, “every monday at nine”) or ISO 8601"
)
_PRIORITY = _text("Priority", enum=["low", "normal", "high", "urgent"])
_REPEAT = _text("How it repeats: “every monday at nine”, “weekly”, “none”")
_TITLE = _text("What is to be done, without the date and without “add”", maxLength=200)
_ITEM: Schema = {
    "type": "object",
    "properties": {
        "title": _TITLE,
        "due": _text(_DUE),
        "list": _text("Name of a list, if one was said"),
        "notes": _text("Details that do not belong in the title", maxLength=4000),
        "priority": _PRIORITY,
        "tags": _words("Tags, if said"),
        "assignee": _text("Who does it, if somebody else"),
        "repeat": _REPEAT,
        "remind": _text("When to remind of it, in natural words, or “at the time”"),
    },
    "required": ["title"],
    "additionalProperties": False,
}

TOOLS: tuple[Tool, ...] = (
    Tool(
        "add_todos",
        adding.add,
        "Add todos",
        "Add one or more todos. Several things said in one sentence are several items.",
        {"items": {"type": "array", "items": _ITEM, "minItems": 1, "maxItems": 25}},
        ("items",),
    ),
    Tool(
        "find_todos",
        finding.find,
        "Find todos",
        "Read the list: all, by day, by words, overdue, finished; count them; or say one thing"
        " about one todo.",
        {
            "words": _text("Words the todos are about (“house”), in title, notes or tags"),
            "when": _text(
                "“today”, “tomorrow”, “this week”, “overdue”, a day (“saturday”, “3 march”),"
                " or “done yesterday” for what was finished then"
            ),
            "list": _text("Only on this list"),
            "done": {"type": "boolean", "description": "Finished ones instead of open ones"},
            "tag": _text("Only with this tag"),
            "assignee": _text("Only assigned to this person"),
            "count_only": {"type": "boolean", "description": "Only how many"},
            "about": _text(
                "The one thing asked about the todo named in words",
                enum=["assignee", "due", "notes", "priority", "tags", "list", "repeat"],
            ),
        },
        reads=True,
    ),
    Tool(
        "change_todo",
        changing.change,
        "Change a todo",
        "Rename, move to another time, annotate, tag, assign or prioritise one todo. Only what is"
        " given changes; a new day keeps the hour.",
        {
            "which": _text(_WHICH),
            "title": _text("New title", maxLength=200),
            "due": _text(f"{_DUE}; “three days later” than it is due now; “none” removes it"),
            "add_note": _text("A note to add to its notes", maxLength=4000),
            "priority": _PRIORITY,
            "add_tags": _words("Tags to add"),
            "remove_tags": _words("Tags to remove"),
            "assignee": _text("Who does it; “nobody” removes the name"),
            "list": _text("List to move it to"),
            "repeat": _REPEAT,
        },
        ("which",),
    ),
    Tool(
        "complete_todos",
        changing.complete,
        "Complete todos",
        "Mark as done. “everything from today” or “everything” completes all of those at once; a"
        " repeating todo moves on to its next time.",
        {"which": _text(f"{_WHICH}, or “everything from today”")},
        ("which",),
    ),
    Tool(
        "reopen_todo",
        changing.reopen,
        "Reopen a todo",
        "Make a finished todo open again.",
        {"which": _text(_WHICH)},
        ("which",),
    ),
    Tool(
        "delete_todos",
        removing.delete,
        "Delete todos",
        "Take todos off the list. One clear match goes at once (undo brings it back); for more than"
        " one it asks, and answer_question carries it out after the person's yes.",
        {"which": _text(f"{_WHICH}, or “everything from today”")},
        ("which",),
        destructive=True,
    ),
    Tool(
        "create_list",
        listing.create,
        "Create a list",
        "Create a new, empty list.",
        {"name": _text("Its name", maxLength=80)},
        ("name",),
    ),
    Tool(
        "delete_list",
        listing.delete,
        "Delete a list",
        "Delete a list; asks first when there are open todos on it.",
        {"name": _text("Its name")},
        ("name",),
        destructive=True,
    ),
    Tool("show_lists", listing.show, "Show lists", "Which lists there are.", reads=True),
    Tool(
        "add_reminder",
        reminding.add,
        "Add a reminder",
        "Remind the person at a time. Only a day said means their morning hour, which the answer"
        " says.",
        {
            "text": _text("What to remind of, without the time (“call Anna”)", maxLength=200),
            "when": _text(
                "When, in natural words (“on friday”, “in two hours”, “an hour before” the todo it"
                " is about) or ISO 8601"
            ),
            "repeat": _REPEAT,
            "about": _text("Words of the todo it belongs to, if it is about one"),
        },
        ("text", "when"),
    ),
    Tool(
        "find_reminders",
        reminding.find,
        "Find reminders",
        "Which reminders are waiting.",
        {"words": _text("Words they are about"), "when": _text("A day, “this week”")},
        reads=True,
    ),
    Tool(
        "cancel_reminders",
        reminding.cancel,
        "Cancel reminders",
        "Cancel one reminder at once; for more than one it asks first.",
        {"which": _text("Words of its text, a day, “last”, or “all”")},
        ("which",),
        destructive=True,
    ),
    Tool(
        "answer_reminder",
        snoozing.answer,
        "Answer a reminder",
        "What the person says to a reminder they were just told: it is done (its todo too), or they"
        " want to be reminded again later.",
        {
            "action": _text("What they want", enum=list(snoozing.ACTIONS)),
            "minutes": {
                "type": "integer",
                "minimum": 1,
                "maximum": snoozing.MOST_MINUTES,
                "description": "Snooze: in how many minutes; 10 if they do not say",
            },
            "until": _text("Snooze: when instead, in natural words (“tomorrow at nine”)"),
            "which": _text("Words of its text, if it is not the one told last"),
        },
        ("action",),
    ),
    Tool(
        "undo_last_change",
        removing.undo_last,
        "Undo",
        "Undo the last change made in this call.",
        destructive=True,
    ),
    Tool(
        "answer_question",
        answering.answer,
        "Answer a question",
        "Give the person's answer to what a tool asked. It counts only when the person said it"
        " after the question: never call it in the same turn.",
        {
            "answer": _text("“yes”, “no”, or the words or the number that choose"),
            "question": _text("Id of the question; the last one if left out"),
        },
        ("answer",),
        destructive=True,
    ),
    Tool("end_call", answering.end, "End the call", "Say goodbye and hang up.", reads=True),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
