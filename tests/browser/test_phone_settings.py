"""The telephone's part of the settings, kept by the real server."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_settings import open_sheet

pytestmark = pytest.mark.browser

SAID = "#settings-said"


def opened(open_page: OpenPage) -> Page:
    page, _far = open_page(name="ben")
    open_sheet(page)
    expect(page.get_by_role("group", name="By telephone")).to_be_visible()
    return page


def test_numbers_are_added_and_removed_and_a_wrong_one_says_how_to_write_it(
    open_page: OpenPage,
) -> None:
    page = opened(open_page)
    numbers = page.get_by_role("list", name="Your numbers").get_by_role("listitem")
    field = page.get_by_label("A number you call from, with its country")
    field.fill("555 1234")
    field.press("Enter")
    expect(page.locator(SAID)).to_have_text(
        "Write the number with its country, like +1 555 123 4567."
    )
    expect(field).to_have_value("555 1234")
    field.fill("+1 555 123 4567")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(numbers).to_have_text(["+15551234567"])
    expect(field).to_have_value("")
    page.reload()
    open_sheet(page)
    expect(numbers).to_have_text(["+15551234567"])
    page.get_by_role("button", name="Remove +15551234567").click()
    expect(numbers).to_have_count(0)
    expect(field).to_be_focused()


def test_a_pin_is_set_changed_and_removed_and_never_shown(open_page: OpenPage) -> None:
    page = opened(open_page)
    field = page.get_by_label("New PIN, four to six digits")
    remove = page.get_by_role("button", name="Remove it")
    expect(remove).to_be_hidden()
    field.fill("1111")
    field.press("Enter")
    expect(page.locator(SAID)).to_contain_text("Please choose another.")
    field.fill("4711")
    page.get_by_role("button", name="Set PIN").click()
    expect(page.locator(SAID)).to_have_text("Your PIN is set.")
    expect(field).to_have_value("")
    page.reload()
    open_sheet(page)
    expect(page.get_by_text("A PIN is set.")).to_be_visible()
    assert "4711" not in page.content()
    remove.click()
    expect(page.locator(SAID)).to_have_text("You have no PIN any more.")
    expect(remove).to_be_hidden()


def test_wishes_are_kept(open_page: OpenPage) -> None:
    page = opened(open_page)
    rings = page.get_by_role("switch", name="Reminders call me")
    rings.press("Space")
    page.get_by_label("Record my calls").select_option(label="never")
    expect(page.locator(SAID)).to_have_text("Kept.")
    page.reload()
    open_sheet(page)
    expect(rings).to_be_checked()
    expect(page.get_by_label("Record my calls")).to_have_value("never")


def test_who_was_signed_out_meanwhile_is_told_and_sees_what_is_kept(open_page: OpenPage) -> None:
    page = opened(open_page)
    page.context.clear_cookies()
    page.get_by_label("Record my calls").select_option(label="always")
    expect(page.locator(SAID)).to_have_attribute("data-level", "error")
    expect(page.get_by_label("Record my calls")).not_to_have_value("always")
