"""transfer_to_person: who is meant, whether they are there, and the wish that rings for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from phone import wishes
from phone.directory import Directory, Found, Option
from todo import speaking
from todo.actor import Actor
from todo.tools.answers import Answer, nothing, refused
from todo.tools.arguments import Arguments
from voice.models import Call

NOT_HERE = "I can only connect you with somebody on the telephone."
NOBODY = "There is nobody here whom I could connect you with."
MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class WithWhom(Answer):
    """A question that the next call of the tool answers, with one of these names."""

    choices: tuple[str, ...] = ()

    def as_dict(self, actor: Actor) -> dict[str, Any]:
        return Answer.as_dict(self, actor) | {"choices": list(self.choices)}


def connect(actor: Actor, arguments: Arguments) -> Answer:
    words, reason = arguments.text("department", 100), arguments.text("reason", 1000)
    calls = Call.objects.select_related("business")
    call = calls.filter(pk=actor.call_id).first() if actor.call_id else None
    if call is None or call.channel != Call.Channel.PHONE or call.ended_at is not None:
        return refused(NOT_HERE)
    business = wishes.business_for(call)
    directory = Directory(business, actor.now) if business else None
    if directory is None or not directory.departments:
        return refused(NOBODY)
    found = directory.find(words)
    if found.kind == "one":
        return _connected(call, directory, found.options[0], reason)
    return _with_whom(directory, found, words)


def _connected(call: Call, directory: Directory, option: Option, reason: str) -> Answer:
    department, contact = option.department, option.contact
    people = directory.to_try(department, contact, emergency=department.is_emergency)
    if not people:
        return nothing(_nobody_there(directory, option))
    wishes.want(call, option, reason)
    said = f"I connect you with {option.name} now."
    if contact is not None and contact not in people:
        said = f"{contact.name} cannot be reached now, so I connect you with {department.name}."
    return Answer("ok", said, summary=f"connect with {option.name}", ends_call=True)


def _nobody_there(directory: Directory, option: Option) -> str:
    """Whoever of the department is there first is the next to be reached."""
    department, opening = option.department, directory.opening(option.department)
    whom = option.name if option.contact else f"Nobody in {department.name}"
    cannot = "cannot" if option.contact else "can"
    if not opening:
        return f"{whom} {cannot} be reached by telephone."
    return f"{whom} {cannot} be reached now. {department.name} is there again {opening}."


def _with_whom(directory: Directory, found: Found, words: str) -> Answer:
    if found.kind == "perhaps":
        names = _names(found.options)
        return WithWhom("ask", speaking.did_you_mean(names), choices=names)
    options = found.options or tuple(map(Option, directory.usual))
    names = _names(options)
    said = f"With whom would you like to speak: {speaking.joined(names, 'or')}?"
    if found.kind == "none":
        said = f"I find nobody called {words}. {said}"
    return WithWhom("ask", said, choices=names)


def _names(options: tuple[Option, ...]) -> tuple[str, ...]:
    """Told apart by their department where two people have one name."""
    names = [option.name for option in options]
    return tuple(
        f"{option.name} in {option.department.name}" if names.count(option.name) > 1 else name
        for option, name in zip(options, names, strict=True)
    )[:MOST_NAMES]
