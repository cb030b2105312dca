"""What each tool does and says, against the demo list at ten on a Tuesday."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from tests.todo.conftest import BERLIN, NOW, Caller
from todo.models import Change, Question, Reminder, Todo, TodoList, ToolRequest
from todo.tools import TOOLS

pytestmark = pytest.mark.django_db


def titles(answer: dict[str, Any]) -> list[str]:
    rows = answer["todos"]
    assert isinstance(rows, list)
    return [row["title"] for row in rows]


def todo(title: str) -> Todo:
    return Todo.objects.get(title=title)


def test_adding_says_when_it_is_due(call: Caller) -> None:
    answer = call.say("add_todos", items=[{"title": "buy milk", "due": "tomorrow at five pm"}])
    assert answer["said"] == "Added buy milk for tomorrow at 5 PM."
    assert answer["summary"] == "added: buy milk, tomorrow at 5 PM"
    assert todo("buy milk").due_at == datetime(2026, 11, 25, 17, tzinfo=BERLIN)


def test_adding_several_is_one_change(call: Caller) -> None:
    call.say("create_list", name="groceries")
    items = [{"title": name, "list": "the groceries list"} for name in ("eggs", "bread", "butter")]
    answer = call.say("add_todos", items=items)
    assert answer["said"] == "Added eggs, bread and butter to the groceries list."
    assert call.say("undo_last_change")["status"] == "ok"
    assert not Todo.objects.filter(list__name="groceries", deleted_at=None).exists()


def test_adding_to_an_unknown_list_asks_and_then_does_both(call: Caller) -> None:
    asked = call.say("add_todos", items=[{"title": "balloons", "list": "party"}])
    assert (asked["status"], asked["question"]["kind"]) == ("ask", "confirm")
    assert not TodoList.objects.filter(name="party").exists()
    assert call.say("answer_question", answer="yes please")["said"] == (
        "Added balloons to the party list."
    )
    call.say("undo_last_change")
    assert not TodoList.objects.filter(name="party").exists()


def test_adding_with_a_reminder_makes_both(call: Caller) -> None:
    call.say(
        "add_todos", items=[{"title": "post", "due": "tomorrow at five", "remind": "at the time"}]
    )
    reminder = Reminder.objects.get()
    assert reminder.todo == todo("post")
    assert reminder.due_at == datetime(2026, 11, 25, 17, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"when": "today"},
            "Two things due today: dentist appointment at 9 AM and call the plumber at 4 PM.",
        ),
        ({"when": "saturday"}, "One thing due on Saturday: grocery shopping at 11 AM."),
        ({"when": "sunday"}, "Nothing is due on Sunday."),
        ({"count_only": True}, "You have ten open todos."),
        ({"when": "done yesterday"}, "You finished one thing yesterday: tax return."),
        ({"words": "the house"}, "You have one open todo about the house: paint the fence."),
        ({"tag": "house"}, "You have one open todo tagged house: paint the fence."),
        (
            {"words": "the presentation", "about": "assignee"},
            "Prepare the presentation is assigned to Anna.",
        ),
        ({"words": "the fence", "about": "assignee"}, "Nobody is assigned to paint the fence."),
        (
            {"words": "grocery shopping", "about": "due"},
            "Grocery shopping is due on Saturday at 11 AM.",
        ),
    ],
)
def test_finding_says_it_as_people_do(call: Caller, values: dict[str, Any], said: str) -> None:
    assert call.say("find_todos", **values)["said"] == said


def test_overdue_counts_an_hour_that_has_passed_today(call: Caller) -> None:
    answer = call.say("find_todos", when="overdue")
    assert titles(answer) == ["finish the board report", "dentist appointment"]


def test_a_day_without_an_hour_is_overdue_only_the_day_after(call: Caller) -> None:
    call.say("add_todos", items=[{"title": "post", "due": "today"}])
    assert "post" not in titles(call.say("find_todos", when="overdue"))
    call.now = NOW + timedelta(days=1)
    assert "post" in titles(call.say("find_todos", when="overdue"))


def test_reading_the_list_stops_after_three(call: Caller) -> None:
    said = call.say("find_todos")["said"]
    assert said.startswith("You have ten open todos: call the plumber")
    assert said.endswith("and seven more.")


def test_this_week_is_from_today_to_sunday(call: Caller) -> None:
    assert titles(call.say("find_todos", when="this week")) == [
        "dentist appointment",
        "call the plumber",
        "meeting with David",
        "write the annual budget",
        "grocery shopping",
    ]


def test_completing_one_leaves_the_others(call: Caller) -> None:
    assert call.say("complete_todos", which="the dentist todo")["said"] == (
        "Done: dentist appointment."
    )
    done = Todo.objects.exclude(completed_at=None).exclude(title="tax return")
    assert [row.title for row in done] == ["dentist appointment"]


def test_numbers_are_those_of_the_list_read_out(call: Caller) -> None:
    assert titles(call.say("complete_todos", which="number four")) == ["write the annual budget"]
    assert titles(call.say("complete_todos", which="number four")) == ["grocery shopping"]
    missing = call.say("complete_todos", which="number forty")
    assert missing["status"] == "nothing"
    assert "eight open todos" in missing["said"] or "8 open todos" in missing["said"]


def test_everything_from_today_is_completed_at_once_and_undone_at_once(call: Caller) -> None:
    answer = call.say("complete_todos", which="everything from today")
    assert set(titles(answer)) == {"dentist appointment", "call the plumber"}
    call.say("undo_last_change")
    assert Todo.objects.filter(completed_at=None).count() == 10


def test_a_repeating_todo_moves_on_to_its_next_time(call: Caller) -> None:
    call.say("add_todos", items=[{"title": "water the plants", "due": "every monday at nine"}])
    answer = call.say("complete_todos", which="water the plants")
    assert "comes back" in answer["said"]
    row = todo("water the plants")
    assert (row.completed_at, row.due_at) == (None, datetime(2026, 12, 7, 9, tzinfo=BERLIN))
    call.say("undo_last_change")
    assert todo("water the plants").due_at == datetime(2026, 11, 30, 9, tzinfo=BERLIN)


def test_completing_what_is_done_says_so(call: Caller) -> None:
    assert call.say("complete_todos", which="tax return")["said"] == "Tax return is done already."


def test_reopening_finds_the_finished_one(call: Caller) -> None:
    call.say("reopen_todo", which="the tax return")
    assert todo("tax return").completed_at is None


@pytest.mark.parametrize(
    ("values", "field", "value"),
    [
        ({"due": "next tuesday"}, "due_at", datetime(2026, 12, 1, 10, tzinfo=BERLIN)),
        ({"due": "at three"}, "due_at", datetime(2026, 11, 25, 15, tzinfo=BERLIN)),
        ({"due": "none"}, "due_at", None),
        ({"title": "meeting with Eve"}, "title", "meeting with Eve"),
        ({"priority": "high"}, "priority", 3),
        ({"add_note": "bring cake"}, "notes", "bring cake"),
        ({"add_tags": ["Work", "#office"]}, "tags", ["work", "office"]),
        ({"assignee": "Anna"}, "assignee", "Anna"),
        ({"repeat": "weekly"}, "repeat", "FREQ=WEEKLY"),
    ],
)
def test_changing_one_field_and_undoing_it(
    call: Caller, values: dict[str, Any], field: str, value: object
) -> None:
    row = todo("meeting with David")
    before = Todo.objects.filter(pk=row.pk).values().get()
    answer = call.say("change_todo", which="the meeting with david", **values)
    row.refresh_from_db()
    assert (answer["status"], getattr(row, field)) == ("ok", value)
    call.say("undo_last_change")
    after = Todo.objects.filter(pk=row.pk).values().get()
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


def test_words_with_a_date_choose_by_the_date(call: Caller) -> None:
    answer = call.say("delete_todos", which="the appointment on the fourteenth of may at noon")
    assert titles(answer) == ["appointment at the bank"]


def test_it_is_the_one_spoken_of_last(call: Caller) -> None:
    call.say("find_todos", words="presentation", about="assignee")
    assert titles(call.say("complete_todos", which="that one")) == ["prepare the presentation"]


def test_it_in_a_new_call_means_nothing_yet(call: Caller) -> None:
    call.say("complete_todos", which="the dentist one")
    call.call_id = uuid4()
    assert call.say("delete_todos", which="it")["status"] == "nothing"


def test_one_clear_match_is_deleted_and_comes_back(call: Caller) -> None:
    answer = call.say("delete_todos", which="the grocery shopping todo")
    assert "undo" in answer["said"]
    assert "grocery shopping" not in titles(call.say("find_todos"))
    call.say("undo_last_change")
    assert "grocery shopping" in titles(call.say("find_todos"))


def test_several_are_deleted_only_after_a_yes_in_a_later_turn(call: Caller) -> None:
    turn = uuid4()
    asked = call.say("delete_todos", which="everything from today", turn=turn)
    assert (asked["status"], asked["question"]["kind"]) == ("ask", "confirm")
    same_turn = call.say("answer_question", answer="yes", turn=turn)
    assert same_turn["status"] == "refused"
    assert Todo.objects.filter(deleted_at=None).count() == 11
    assert call.say("answer_question", answer="yes please")["status"] == "ok"
    assert Todo.objects.filter(deleted_at=None).count() == 9


def test_finished_ones_can_be_cleared_away(call: Caller) -> None:
    assert titles(call.say("delete_todos", which="all completed todos")) == ["tax return"]
    assert Todo.objects.filter(deleted_at=None, completed_at=None).count() == 10


def test_a_yes_in_another_call_answers_nothing(call: Caller) -> None:
    call.say("delete_todos", which="everything")
    call.call_id = uuid4()
    assert call.say("answer_question", answer="yes")["status"] == "nothing"
    assert Todo.objects.filter(deleted_at=None).count() == 11


def test_a_question_lapses_when_the_person_goes_on(call: Caller) -> None:
    call.say("delete_todos", which="everything")
    call.say("add_todos", items=[{"title": "milk"}])
    assert call.say("answer_question", answer="yes")["status"] == "nothing"


def test_an_old_question_is_not_answered(call: Caller) -> None:
    call.say("delete_todos", which="everything")
    call.now += timedelta(minutes=11)
    assert call.say("answer_question", answer="yes")["status"] == "nothing"


def test_no_leaves_everything(call: Caller) -> None:
    call.say("delete_todos", which="everything")
    assert call.say("answer_question", answer="no thanks")["status"] == "nothing"
    assert Question.objects.get().answered_at is not None
    assert Todo.objects.filter(deleted_at=None).count() == 11


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("the dentist one", "dentist appointment"),
        ("the second one", "appointment at the bank"),
        ("number nine", "appointment at the bank"),
        ("no, the dentist one", "dentist appointment"),
    ],
)
def test_which_is_answered_by_words_place_or_number(call: Caller, answer: str, title: str) -> None:
    asked = call.say("delete_todos", which="the appointment")
    assert asked["question"]["kind"] == "which"
    assert asked["question"]["options"] == [
        {"number": 2, "title": "dentist appointment"},
        {"number": 9, "title": "appointment at the bank"},
    ]
    assert titles(call.say("answer_question", answer=answer)) == [title]


def test_a_plain_yes_to_which_asks_again(call: Caller) -> None:
    call.say("delete_todos", which="the appointment")
    assert call.say("answer_question", answer="yes")["status"] == "ask"
    assert Todo.objects.filter(deleted_at=None).count() == 11


def test_a_weak_match_is_asked_about_never_acted_on(call: Caller) -> None:
    asked = call.say("complete_todos", which="the meeting with Sarah")
    assert asked["said"] == "Did you mean meeting with David?"
    assert todo("meeting with David").completed_at is None
    call.say("answer_question", answer="yes")
    assert todo("meeting with David").completed_at is not None


def test_a_reminder_on_a_day_says_its_hour(call: Caller) -> None:
    answer = call.say("add_reminder", text="call anna", when="on friday")
    assert answer["said"] == "Reminder set for Friday at 9 AM: call anna."
    assert Reminder.objects.get().due_at == datetime(2026, 11, 27, 9, tzinfo=BERLIN)


def test_a_reminder_in_the_past_is_refused_with_a_question(call: Caller) -> None:
    answer = call.say("add_reminder", text="call anna", when="yesterday at five")
    assert (answer["status"], answer["said"][-1]) == ("refused", "?")
    assert not Reminder.objects.exists()


def test_an_hour_that_has_passed_means_tomorrow(call: Caller) -> None:
    call.say("add_reminder", text="call Doctor Martinez", when="at nine am")
    assert Reminder.objects.get().due_at == datetime(2026, 11, 25, 9, tzinfo=BERLIN)


def test_cancelling_one_reminder_and_undoing_it(call: Caller) -> None:
    call.say("add_reminder", text="call anna", when="on friday")
    call.say("add_reminder", text="take the cake out", when="in two hours")
    assert call.say("cancel_reminders", which="the cake one")["status"] == "ok"
    assert [row["text"] for row in call.say("find_reminders")["reminders"]] == ["call anna"]
    call.say("undo_last_change")
    assert len(call.say("find_reminders")["reminders"]) == 2


def test_cancelling_all_reminders_asks_first(call: Caller) -> None:
    call.say("add_reminder", text="call anna", when="on friday")
    call.say("add_reminder", text="take the cake out", when="in two hours")
    assert call.say("cancel_reminders", which="all")["status"] == "ask"
    call.say("answer_question", answer="yes")
    assert call.say("find_reminders")["status"] == "nothing"


def test_a_reminder_goes_with_its_todo_and_comes_back_with_it(call: Caller) -> None:
    call.say("add_reminder", text="take cash", when="in two hours", about="the plumber")
    call.say("complete_todos", which="the plumber")
    assert Reminder.objects.get().state == Reminder.State.CANCELLED
    call.say("undo_last_change")
    assert Reminder.objects.get().state == Reminder.State.WAITING


def test_a_list_with_open_todos_is_deleted_after_a_yes_and_restored(call: Caller) -> None:
    call.say("create_list", name="groceries")
    call.say("add_todos", items=[{"title": "eggs", "list": "groceries"}])
    assert call.say("delete_list", name="groceries")["status"] == "ask"
    before = TodoList.objects.filter(name="groceries").values().get()
    call.say("answer_question", answer="yes")
    assert not TodoList.objects.filter(name="groceries").exists()
    call.say("undo_last_change")
    assert TodoList.objects.filter(name="groceries").values().get() == before
    assert todo("eggs").list_id == before["id"]
    assert todo("eggs").deleted_at is None


def test_the_main_list_cannot_be_deleted(call: Caller) -> None:
    assert call.say("delete_list", name="todo")["status"] == "refused"
    assert TodoList.objects.filter(is_default=True).count() == 1


def test_undo_goes_back_one_change_at_a_time_in_this_call_only(call: Caller) -> None:
    call.say("complete_todos", which="the dentist one")
    call.call_id = uuid4()
    assert call.say("undo_last_change")["status"] == "nothing"
    call.say("complete_todos", which="the plumber")
    call.say("complete_todos", which="buy paint")
    assert titles(call.say("undo_last_change")) == ["buy paint"]
    assert titles(call.say("undo_last_change")) == ["call the plumber"]
    assert call.say("undo_last_change")["status"] == "nothing"
    assert todo("dentist appointment").completed_at is not None


def test_outside_a_call_undo_takes_the_last_change_of_all(call: Caller) -> None:
    call.say("complete_todos", which="the dentist one")
    call.call_id = None
    assert titles(call.say("undo_last_change")) == ["dentist appointment"]


def test_undo_does_not_overwrite_what_was_changed_since(call: Caller) -> None:
    first = call.say("change_todo", which="buy paint", title="buy white paint")
    Todo.objects.filter(title="buy white paint").update(title="buy red paint")
    assert call.say("undo_last_change")["status"] == "refused"
    assert Change.objects.get(pk=first["change"]).undone_at is None
    assert Todo.objects.filter(title="buy red paint").exists()


def test_a_repeated_key_changes_nothing_and_answers_the_same(call: Caller) -> None:
    item: dict[str, Any] = {"items": [{"title": "buy milk"}]}
    first = call.say("add_todos", key="turn-1:call-1", **item)
    assert call.say("add_todos", key="turn-1:call-1", **item) == first
    assert Todo.objects.filter(title="buy milk").count() == 1
    call.say("add_todos", key="turn-1:call-2", **item)
    assert Todo.objects.filter(title="buy milk").count() == 2


def test_reads_keep_no_record(call: Caller) -> None:
    call.say("find_todos", key="k")
    assert not ToolRequest.objects.exists()


def test_a_key_used_for_another_request_is_refused_with_what_was_done(call: Caller) -> None:
    call.say("add_todos", key="turn-1:0", items=[{"title": "milk"}])
    for tool, arguments in (
        ("add_todos", {"items": [{"title": "bread"}]}),
        ("complete_todos", {"todos": ["milk"]}),
    ):
        answer = call.say(tool, key="turn-1:0", **arguments)
        assert answer["status"] == "refused"
        assert "milk" in answer["said"]
        assert answer["change"] is None
    assert not Todo.objects.filter(title="bread").exists()
    assert Todo.objects.get(title="milk").completed_at is None


def test_anothers_key_is_not_ours(
    call: Caller, ben: User, new_call: Callable[[User], Caller]
) -> None:
    call.say("add_todos", key="k", items=[{"title": "secret present"}])
    answer = new_call(ben).say("add_todos", key="k", items=[{"title": "milk"}])
    assert titles(answer) == ["milk"]


@pytest.mark.parametrize(
    ("tool", "values"),
    [
        ("add_todos", {}),
        ("add_todos", {"items": []}),
        ("add_todos", {"items": [{"title": ""}]}),
        ("add_todos", {"items": [{"title": "x" * 201}]}),
        ("add_todos", {"items": [{"title": "x", "due": "gibberish"}]}),
        ("add_todos", {"items": [{"title": "x", "priority": "purple"}]}),
        ("add_todos", {"items": [{"title": ["x"]}]}),
        ("add_todos", {"items": [7]}),
        ("add_todos", {"items": ["x"] * 26}),
        ("add_todos", {"items": [{"title": "x", "notes": "y" * 4001}]}),
        ("change_todo", {"which": "the dentist one"}),
        ("change_todo", {"which": "", "title": "x"}),
        ("change_todo", {"which": "the dentist one", "list": "nowhere"}),
        ("find_todos", {"when": "gibberish"}),
        ("find_todos", {"list": "nowhere"}),
        ("complete_todos", {"which": {"a": 1}}),
        ("create_list", {"name": "x" * 99}),
        ("add_reminder", {"text": "x", "when": "gibberish"}),
        ("answer_question", {"answer": "yes", "question": "not-an-id"}),
        ("no_such_tool", {}),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(
    call: Caller, tool: str, values: dict[str, Any]
) -> None:
    answer = call.say(tool, **values)
    assert answer["status"] == "refused"
    assert answer["said"][-1] in ".?"
    assert not Change.objects.exists()


def test_every_answer_has_the_same_fields(call: Caller) -> None:
    for tool in ("find_todos", "end_call", "show_lists"):
        fields = {"status", "said", "summary", "change", "todos", "reminders", "question"}
        assert fields <= set(call.say(tool))


def test_no_tool_reaches_another_persons_rows(
    call: Caller, ben: User, new_call: Callable[[User], Caller]
) -> None:
    call.say("create_list", name="secrets")
    call.say("add_reminder", text="hide the present", when="tomorrow")
    call.say("delete_todos", which="everything")
    Reminder.objects.create(owner=call.user, text="call anna", due_at=NOW, state="fired")
    before = [list(model.objects.values()) for model in (Todo, TodoList, Reminder)]
    question = str(Question.objects.get().pk)
    stranger = new_call(ben)
    stranger.call_id = call.call_id
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("find_todos", {"words": "dentist"}),
        ("find_todos", {"list": "secrets"}),
        ("change_todo", {"which": "the dentist one", "title": "mine"}),
        ("complete_todos", {"which": "everything"}),
        ("reopen_todo", {"which": "tax return"}),
        ("delete_todos", {"which": "last"}),
        ("delete_list", {"name": "secrets"}),
        ("find_reminders", {}),
        ("cancel_reminders", {"which": "the present"}),
        ("answer_reminder", {"action": "done"}),
        ("answer_reminder", {"action": "snooze", "which": "anna"}),
        ("undo_last_change", {}),
        ("answer_question", {"answer": "yes"}),
        ("answer_question", {"answer": "yes", "question": question}),
    ]
    assert {name for name, _ in attempts} | {
        "add_todos", "create_list", "show_lists", "add_reminder", "end_call"
    } == {tool.name for tool in TOOLS}  # fmt: skip
    for tool, values in attempts:
        answer = stranger.say(tool, **values)
        assert answer["status"] in ("nothing", "refused"), tool
        assert answer["todos"] == answer["reminders"] == []
    owned = [
        list(model.objects.exclude(owner=ben).values()) for model in (Todo, TodoList, Reminder)
    ]
    assert owned == before


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("the one due on saturday", ["grocery shopping"]),
        ("the report from yesterday", ["finish the board report"]),
        ("the meeting at ten o'clock", ["meeting with David"]),
        ("tomorrow's meeting", ["meeting with David"]),
        ("tomorrow", ["meeting with David"]),
        ("the plumber and the dentist appointment", ["call the plumber", "dentist appointment"]),
        ("number two and three", ["dentist appointment", "buy paint"]),
        ("all overdue todos", ["dentist appointment", "finish the board report"]),
        ("all of the paint todos", ["buy paint", "paint the fence"]),
    ],
)
def test_todos_are_named_in_many_ways(call: Caller, which: str, expected: list[str]) -> None:
    answer = call.say("complete_todos", which=which)
    assert (answer["status"], titles(answer)) == ("ok", expected)


def test_the_first_one_is_the_first_of_those_just_read(call: Caller) -> None:
    assert titles(call.say("find_todos", when="today"))[0] == "dentist appointment"
    assert titles(call.say("complete_todos", which="the first one")) == ["dentist appointment"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("this morning", ["dentist appointment"]),
        ("this afternoon", ["call the plumber"]),
        ("tonight", []),
        ("tomorrow morning", ["meeting with David"]),
        ("no date", ["buy paint", "paint the fence", "prepare the presentation"]),
    ],
)
def test_a_part_of_the_day_has_only_its_hours(call: Caller, when: str, expected: list[str]) -> None:
    assert titles(call.say("find_todos", when=when)) == expected


def test_a_reminder_is_named_by_its_day(call: Caller) -> None:
    call.say("add_reminder", text="wake up", when="tomorrow at six thirty")
    call.say("add_reminder", text="call anna", when="on friday")
    assert call.say("cancel_reminders", which="tomorrow")["said"] == (
        "Cancelled the reminder: wake up."
    )
