"""All lines are busy: the page offers to wait, tells the place in line and whose turn it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.far_side import FarSide
from tests.browser.steps import until, wait_for_state

pytestmark = pytest.mark.browser

ALLOWED = """
  navigator.permissions.query = async () => ({ state: "granted" });
"""
ASKS = """
  navigator.permissions.query = async () => ({ state: "prompt" });
"""


def card(page: Page) -> Locator:
    return page.get_by_role("group", name="Waiting for a free line")


def refused(page: Page, far: FarSide) -> None:
    far.busy = True
    page.locator("#talk").click()
    expect(card(page)).to_contain_text("All lines are busy. Wait for a free line?")


def in_line(page: Page, far: FarSide, place: int = 2) -> None:
    page.get_by_role("button", name="Wait for a free line").click()
    until(page, lambda: far.waits)
    far.send_line("line", place=place, of=4)


def test_a_busy_service_offers_to_wait_and_leaving_the_line_is_one_click(
    open_page: OpenPage,
) -> None:
    page, far = open_page(script=ASKS)
    refused(page, far)
    wait_for_state(page, "idle")
    assert far.waits == []
    expect(page.locator("#announcer")).to_have_text("All lines are busy. Wait for a free line?")
    in_line(page, far)
    expect(card(page)).to_contain_text("You are number 2 of 4 in line.")
    # A connection that breaks is made again, and the wait goes on.
    far.waits[-1].close(code=1012)
    until(page, lambda: len(far.waits) == 2)
    far.send_line("line", place=1, of=3)
    expect(card(page)).to_contain_text("You are next.")
    expect(page.locator("#announcer")).to_have_text("You are next.")
    assert page.title().startswith("1 · ")
    expect(page.get_by_role("checkbox", name="Start the call by itself")).to_be_hidden()
    page.get_by_role("button", name="Leave the line").click()
    until(page, lambda: 1000 in far.left)
    expect(card(page)).to_be_hidden()
    assert "·" not in page.title()


def test_a_free_line_is_kept_for_a_while_and_the_call_begins_with_a_click(
    open_page: OpenPage,
) -> None:
    page, far = open_page(script=ASKS)
    refused(page, far)
    in_line(page, far)
    far.send_line("free", seconds=20)
    expect(card(page)).to_contain_text("A line is free. Kept for you for")
    far.end_wait("missed", "Your turn went by, and the line is the next caller's now.")
    expect(card(page)).to_contain_text("Your turn went by")
    page.get_by_role("button", name="Wait for a free line").click()
    until(page, lambda: len(far.waits) == 2)
    far.send_line("free", seconds=20)
    expect(page.locator("#announcer")).to_contain_text("kept for you for 20 seconds")
    expect(card(page).get_by_role("button", name="Start talking")).to_be_focused()
    assert len(far.calls) == 1
    far.busy = False
    page.keyboard.press("Enter")
    wait_for_state(page, "listening")
    expect(card(page)).to_be_hidden()
    until(page, lambda: 1000 in far.left)


def test_whoever_asked_for_it_and_allowed_the_microphone_is_called_without_a_click(
    open_page: OpenPage,
) -> None:
    page, far = open_page(script=ALLOWED)
    refused(page, far)
    in_line(page, far)
    page.get_by_role("checkbox", name="Start the call by itself when it is my turn").check()
    far.busy = False
    far.send_line("free", seconds=20)
    wait_for_state(page, "listening")
    assert len(far.of_type("start")) == 2
