"""The signed context: only ours, only lately, only whole."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core import signing

from todo import context


def test_what_was_signed_is_read_back() -> None:
    call, turn = uuid4(), uuid4()
    assert context.read(context.sign(7, "Europe/Berlin", call, turn)) == context.Context(
        7, "Europe/Berlin", call, turn
    )


def test_the_tools_and_the_reminder_it_is_for_are_read_back() -> None:
    note = context.read(context.sign(7, "UTC", None, None, {"end_call"}, 12))
    assert (note.tools, note.about) == (frozenset({"end_call"}), 12)


@pytest.mark.parametrize("text", [None, "", "x", "a:b:c", 7, {}, "x" * 5000])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(context.ForgedContext):
        context.read(text)


def test_an_altered_note_is_refused() -> None:
    signed = context.sign(7, "UTC", None, None)
    other = context.sign(8, "UTC", None, None)
    forged = other.split(":", 1)[0] + ":" + signed.split(":", 1)[1]
    with pytest.raises(context.ForgedContext):
        context.read(forged)


def test_an_old_note_is_refused() -> None:
    signed = context.sign(7, "UTC", None, None)
    with pytest.raises(context.ForgedContext):
        context.read(signed, max_age=-1)


def test_a_note_signed_for_something_else_is_refused() -> None:
    note = signing.dumps({"u": 7, "z": "UTC", "c": None, "t": None}, salt="something else")
    with pytest.raises(context.ForgedContext):
        context.read(note)
