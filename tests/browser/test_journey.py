"""People at the page of the whole running product, with recordings as their microphone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.browser.chromium import launch
from tests.browser.steps import counter, sign_in, start_talking, until, wait_for_state
from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RECORDINGS = ROOT / "tests" / "audio"
BUY_MILK = RECORDINGS / "00-man.wav"
# The first answers load the speech models, on a machine that may be busy with other tests.
ANSWER_MS = 60_000
OpenFor = Callable[..., Page]


@pytest.fixture
def open_for(playwright: Playwright, stack: Stack) -> Iterator[OpenFor]:
    """Opens the page of a new person, in a browser whose microphone plays `recording` once."""
    browsers: list[Browser] = []

    def opened(name: str, recording: Path = BUY_MILK, *, allowed: bool = True) -> Page:
        browsers.append(launch(playwright, recording, allowed=allowed))
        return signed_in(browsers[-1].new_context(), stack, name)

    yield opened
    for browser in browsers:
        browser.close()


def signed_in(context: BrowserContext, stack: Stack, name: str) -> Page:
    name, password = stack.make_user(name)
    page = sign_in(context, stack.url, name, password)
    page.locator("body[data-ready]").wait_for()
    return page


def say(page: Page, text: str) -> None:
    page.get_by_label("Type to Convonet").fill(text)
    page.keyboard.press("Enter")


def todo_titles(page: Page) -> list[str]:
    return page.locator("#todo-groups button.row-title").all_inner_texts()


def titles_of(stack: Stack, name: str) -> list[str]:
    sql = (
        "SELECT title FROM todo_todo JOIN auth_user ON auth_user.id = owner_id"
        " WHERE username = ? AND deleted_at IS NULL ORDER BY todo_todo.id"
    )
    return [row[0] for row in stack.rows(sql, name)]


def test_a_person_speaks_a_todo_sees_and_hears_it_done_and_interrupts_the_next_answer(
    open_for: OpenFor, stack: Stack
) -> None:
    page = open_for("speaker")
    start_talking(page)
    said = page.locator(".said:not(.interim)").first
    expect(said).to_contain_text("milk", timeout=ANSWER_MS)
    expect(page.locator(".chip").first).to_contain_text("milk", timeout=ANSWER_MS)
    until(page, lambda: any("milk" in title for title in todo_titles(page)), ANSWER_MS)
    until(page, lambda: counter(page, "samplesPlayed") > 8_000, ANSWER_MS)
    assert counter(page, "peak") > 0.05
    expect(page.locator("#latency")).to_contain_text("answered in", timeout=ANSWER_MS)
    assert [title for title in titles_of(stack, "speaker") if "milk" in title]

    say(page, "add eggs, bread, butter, cheese and apples")
    until(page, lambda: len(todo_titles(page)) > 1, ANSWER_MS)
    wait_for_state(page, "listening", ANSWER_MS)
    say(page, "what is on my list")
    answer = page.locator(".answer").last
    answer.locator(".word-heard").nth(1).wait_for(timeout=ANSWER_MS)
    page.locator("body").press("Escape")
    expect(answer.locator(".word-cut")).to_be_visible()
    wait_for_state(page, "listening")
    heard = counter(page, "samplesPlayed")
    page.wait_for_timeout(500)
    assert counter(page, "samplesPlayed") == heard
    assert counter(page, "samplesDropped") == 0


def test_the_chip_takes_the_change_back(open_for: OpenFor) -> None:
    page = open_for("undoer")
    say(page, "add water the plants")
    expect(page.locator(".chip").first).to_contain_text("water the plants", timeout=ANSWER_MS)
    until(page, lambda: len(todo_titles(page)) == 1, ANSWER_MS)
    page.get_by_role("button", name="Undo: ").click()
    until(page, lambda: todo_titles(page) == [])
    expect(page.locator(".chip").first).to_contain_text("undone")


def test_two_people_see_nothing_of_each_other(open_for: OpenFor, stack: Stack) -> None:
    first = open_for("first")
    browser = first.context.browser
    assert browser is not None
    second = signed_in(browser.new_context(), stack, "second")
    say(first, "add a secret present for Emma")
    until(first, lambda: len(todo_titles(first)) == 1, ANSWER_MS)
    say(second, "add feed the cat")
    until(second, lambda: len(todo_titles(second)) == 1, ANSWER_MS)
    wait_for_state(second, "ready", ANSWER_MS)
    assert "present" not in second.locator("body").inner_text().lower()
    assert "cat" not in first.locator(".list-area, .transcript").all_inner_texts()[0].lower()
    second.reload()
    second.locator("body[data-ready]").wait_for()
    assert todo_titles(second) == ["feed the cat"]


def test_a_todo_made_by_hand_is_read_in_natural_words_and_numbered(open_for: OpenFor) -> None:
    page = open_for("writer")
    page.get_by_label("Add a todo in your own words").fill("buy paint tomorrow at five")
    page.keyboard.press("Enter")
    until(page, lambda: todo_titles(page) == ["buy paint"])
    expect(page.locator(".fact").first).to_contain_text("tomorrow")
    expect(page.locator(".row-number").first).to_have_text("1")
    page.get_by_role("checkbox", name="Complete: buy paint").click()
    expect(page.locator("#todo-done-count")).to_have_text("1")


def test_a_refused_microphone_leads_to_typing_which_does_as_much(open_for: OpenFor) -> None:
    page = open_for("refused", allowed=False)
    page.locator("#talk").click()
    expect(page.locator(".note")).to_contain_text("The microphone is blocked for this page.")
    expect(page.get_by_label("Type to Convonet")).to_be_focused()
    page.keyboard.type("add call the bank")
    page.keyboard.press("Enter")
    until(page, lambda: len(todo_titles(page)) == 1, ANSWER_MS)
    until(page, lambda: counter(page, "samplesPlayed") > 4_000, ANSWER_MS)
    assert counter(page, "peak") > 0.05


def test_a_reminder_that_falls_due_is_shown_and_spoken_without_a_call(
    open_for: OpenFor, stack: Stack
) -> None:
    page = open_for("reminded")
    stack.ask(
        "from django.contrib.auth import get_user_model\n"
        "from django.utils import timezone\n"
        "from todo.models import Reminder\n"
        "owner = get_user_model().objects.get(username='reminded')\n"
        "due = timezone.now()\n"
        "answer = Reminder.objects.create(owner=owner, text='call Anna', due_at=due).pk"
    )
    expect(page.locator(".due-card")).to_contain_text("call Anna", timeout=ANSWER_MS)
    until(page, lambda: counter(page, "clipsPlayed") == 1, ANSWER_MS)
    sql = "SELECT state FROM todo_reminder WHERE text = 'call Anna'"
    until(page, lambda: stack.rows(sql) == [("told",)], ANSWER_MS)
