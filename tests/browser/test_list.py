"""The list beside the conversation: live, and editable by hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.far_side import FarSide, todo
from tests.browser.steps import until

pytestmark = pytest.mark.browser


def some_todos(far: FarSide) -> None:
    far.lists.append({"id": 2, "name": "groceries", "default": False})
    far.todos = [
        todo(1, "call the plumber", due_text="today 4 PM", priority="high"),
        todo(2, "dentist", due_text="today 9 AM", overdue=True),
        todo(3, "eggs", list="groceries"),
    ]


def changes(far: FarSide) -> list[tuple[str, str, object]]:
    return [made for made in far.requests if made[0] != "GET"]


def test_rows_show_the_numbers_people_can_say_in_their_lists(open_page: OpenPage) -> None:
    page, _far = open_page(prepare=some_todos)
    expect(page.locator(".row-number")).to_have_text(["1", "2", "3"])
    expect(page.locator("#todo-groups .group-name")).to_have_text(["todo", "groceries"])
    expect(page.locator(".fact.late")).to_have_text("overdue, today 9 AM")


def test_a_check_completes_and_a_second_reopens(open_page: OpenPage) -> None:
    page, far = open_page(prepare=some_todos)
    page.get_by_role("checkbox", name="Complete: dentist").click()
    expect(page.locator("#todo-done-count")).to_have_text("1")
    page.get_by_text("Done lately").click()
    page.get_by_role("checkbox", name="Reopen: dentist").click()
    expect(page.get_by_role("checkbox", name="Complete: dentist")).to_be_visible()
    path = "/todos/102/"
    assert changes(far) == [("PATCH", path, {"done": True}), ("PATCH", path, {"done": False})]


def test_the_title_is_edited_in_place(open_page: OpenPage) -> None:
    page, far = open_page(prepare=some_todos)
    page.get_by_role("button", name="dentist", exact=True).click()
    page.get_by_role("textbox", name="Title").fill("dentist, Dr. Kim")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="dentist, Dr. Kim", exact=True)).to_be_focused()
    assert changes(far) == [("PATCH", "/todos/102/", {"title": "dentist, Dr. Kim"})]


def test_escape_leaves_a_title_as_it_was(open_page: OpenPage) -> None:
    page, far = open_page(prepare=some_todos)
    page.get_by_role("button", name="dentist", exact=True).click()
    page.get_by_role("textbox", name="Title").fill("nonsense")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="dentist", exact=True)).to_be_focused()
    assert changes(far) == []


def test_the_editor_sends_only_what_was_changed(open_page: OpenPage) -> None:
    page, far = open_page(prepare=some_todos)
    page.get_by_role("button", name="Details: dentist").click()
    page.get_by_label("Due").fill("next friday at ten")
    page.get_by_label("Priority").select_option("urgent")
    page.get_by_label("Tags").fill("health, #teeth")
    page.get_by_role("combobox", name="List").select_option("groceries")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Details: dentist")).to_be_focused()
    fields = {
        "due": "next friday at ten",
        "priority": "urgent",
        "tags": ["health", "teeth"],
        "list": "groceries",
    }
    assert changes(far) == [("PATCH", "/todos/102/", fields)]


def test_a_refused_change_is_said_and_the_editor_keeps_what_was_typed(open_page: OpenPage) -> None:
    page, _far = open_page(prepare=some_todos)
    page.get_by_role("button", name="Details: dentist").click()
    page.get_by_label("Due").fill("the day of never")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toast")).to_have_text("I do not know the day “the day of never”.")
    expect(page.get_by_label("Due")).to_have_value("the day of never")


def test_a_deleted_todo_can_be_brought_back(open_page: OpenPage) -> None:
    page, far = open_page(prepare=some_todos)
    page.get_by_role("button", name="Details: dentist").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".todo")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: ("POST", "/changes/7/undo/", None) in far.requests)


def test_a_todo_is_added_in_natural_words(open_page: OpenPage) -> None:
    page, far = open_page()
    expect(page.locator("#todo-empty")).to_be_visible()
    page.get_by_label("Add a todo in your own words").fill("buy milk tomorrow at five")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="buy milk tomorrow at five", exact=True)).to_be_visible()
    assert changes(far) == [("POST", "/todos/", {"text": "buy milk tomorrow at five"})]
    expect(page.get_by_label("Add a todo in your own words")).to_have_value("")


def test_a_change_told_by_the_server_appears_and_glows_once(open_page: OpenPage) -> None:
    page, far = open_page(prepare=some_todos)
    until(page, lambda: far.pages)
    far.todos.append(todo(4, "buy milk"))
    far.send_page("todos_changed", summary="added: buy milk", change=1, todos=[104], reminders=[])
    row = page.locator(".todo[data-id='104']")
    expect(row).to_have_class("todo glow")
    expect(row).to_have_class("todo")
    expect(page.locator(".glow")).to_have_count(0)


def test_a_change_told_while_someone_edits_does_not_take_the_words_away(
    open_page: OpenPage,
) -> None:
    page, far = open_page(prepare=some_todos)
    until(page, lambda: far.pages)
    page.get_by_role("button", name="Details: dentist").click()
    page.get_by_label("Notes").fill("bring the X-ray")
    far.todos.insert(0, todo(4, "buy milk"))
    far.send_page("todos_changed", summary="", change=1, todos=[104], reminders=[])
    expect(page.locator(".todo")).to_have_count(4)
    expect(page.get_by_label("Notes")).to_have_value("bring the X-ray")
    expect(page.get_by_label("Notes")).to_be_focused()


def test_a_change_told_while_a_title_is_edited_does_not_save_half_of_it(
    open_page: OpenPage,
) -> None:
    page, far = open_page(prepare=some_todos)
    until(page, lambda: far.pages)
    page.get_by_role("button", name="dentist", exact=True).click()
    page.get_by_role("textbox", name="Title").fill("denti")
    far.todos.insert(0, todo(4, "buy milk"))
    far.send_page("todos_changed", summary="", change=1, todos=[104], reminders=[])
    expect(page.locator(".todo")).to_have_count(4)
    expect(page.get_by_role("textbox", name="Title")).to_be_focused()
    page.keyboard.type("st at ten")
    page.keyboard.press("Enter")
    until(page, lambda: changes(far))
    assert changes(far) == [("PATCH", "/todos/102/", {"title": "dentist at ten"})]
