"""answer_question and end_call: the caller's word on what was asked, and the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from todo import questions
from todo.actor import Actor
from todo.errors import Refused
from todo.matching import Candidate, match
from todo.models import Question
from todo.naming import is_ordinal, read_name
from todo.selecting import numbers, todos_by_id, waiting_reminders
from todo.tools import adding, changing, listing, reminding, removing
from todo.tools.answers import Answer, nothing, refused
from todo.tools.arguments import Arguments

Resume = Callable[[Actor, list[int], dict[str, Any]], Answer]
# What continues when the person has said which, or yes.
_RESUME: dict[str, Resume] = {
    "add_todos": adding.resume,
    "change_todo": changing.resume_change,
    "complete_todos": changing.resume_complete,
    "reopen_todo": changing.resume_reopen,
    "delete_todos": removing.resume_delete,
    "delete_list": listing.resume_delete,
    "add_reminder": reminding.resume_add,
    "cancel_reminders": reminding.resume_cancel,
}
_MANY = {"complete_todos", "reopen_todo", "delete_todos", "cancel_reminders"}


def answer(actor: Actor, arguments: Arguments) -> Answer:
    words = arguments.needed("answer", "What is your answer?")
    question = questions.last_open(actor, _id(arguments.text("question")))
    if question is None:
        return nothing("I have not asked anything. What would you like me to do?")
    if not questions.answerable(actor, question):
        return refused(f"I need to hear the answer first. {question.question}")
    meaning, rest = questions.read_answer(words)
    if meaning == "no":
        questions.close(actor, question)
        return nothing("All right, I left everything as it was.")
    chosen = _chosen(actor, question, meaning, rest)
    if not chosen and question.arguments["ids"]:
        return Answer("ask", question.question)
    if not question.arguments["ids"] and meaning != "yes":
        return Answer("ask", question.question)
    questions.close(actor, question)
    return _RESUME[question.tool](actor, chosen, question.arguments["values"])


def end(actor: Actor, arguments: Arguments) -> Answer:
    return Answer("ok", "Goodbye!")


def _chosen(actor: Actor, question: Question, meaning: str, words: str) -> list[int]:
    """The ids the answer stands for; empty when it chose none."""
    ids: list[int] = question.arguments["ids"]
    if meaning == "yes" and question.arguments["kind"] == "confirm":
        return ids
    if len(ids) == 1 and meaning == "yes":
        return ids
    return _named(actor, question, words) if words else []


def _named(actor: Actor, question: Question, words: str) -> list[int]:
    ids: list[int] = question.arguments["ids"]
    words = words.removeprefix("only ").removeprefix("just ").removeprefix("i mean ")
    name = read_name(words)
    if name.kind in ("them", "all"):
        return ids if question.tool in _MANY else []
    if name.kind == "numbers":
        return _by_number(actor, ids, name.numbers, ordinal=is_ordinal(words))
    found = match(words, _options(actor, question))
    return list(found.ids) if found.kind == "one" else []


def _by_number(
    actor: Actor, ids: list[int], wanted: tuple[int, ...], *, ordinal: bool
) -> list[int]:
    """A number in the list if an option has it, else its place among the options."""
    places = {number: pk for pk, number in numbers(actor).items() if pk in ids}
    chosen = []
    for number in wanted:
        if number in places and not ordinal:
            chosen.append(places[number])
        elif number <= len(ids):
            chosen.append(ids[number - 1])
    return chosen if len(chosen) == len(wanted) else []


def _options(actor: Actor, question: Question) -> list[Candidate]:
    ids: list[int] = question.arguments["ids"]
    if question.tool == "cancel_reminders":
        rows = [row for row in waiting_reminders(actor) if row.pk in ids]
        return [Candidate(row.pk, row.text) for row in rows]
    return [
        Candidate(todo.pk, todo.title, (*todo.tags, todo.assignee, todo.list.name), todo.notes)
        for todo in todos_by_id(actor, ids)
    ]


def _id(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Refused("I do not know that question.") from None
