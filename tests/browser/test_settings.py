"""The settings sheet: opened and closed, choices kept by the real server, voices listened to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import write_tone
from tests.browser.conftest import OpenPage
from tests.browser.far_side import FarSide, Message
from tests.browser.screenshots import a_full_server, settings
from tests.browser.steps import counter, start_talking, until

pytestmark = pytest.mark.browser

SAID = "#settings-said"
SENTENCE = "This voice did not speak. Try again in a moment, or choose another."


def a_choice(far: FarSide) -> None:
    far.preferences = a_full_server()


def open_sheet(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("radiogroup", name="Who answers")).to_be_visible()


def chosen(page: Page) -> str:
    return str(page.locator("#answerers :checked").get_attribute("value"))


def kept(far: FarSide) -> list[Any]:
    return [body for method, path, body in far.requests if method == "PUT"]


@pytest.fixture
def sample(tmp_path: Path) -> Message:
    """A WAV as the server answers it."""
    wav = write_tone(tmp_path / "a.wav", hertz=440, seconds=0.3, rate_hz=16_000)
    return {"status": 200, "content_type": "audio/wav", "body": wav.read_bytes()}


MAKING: Message = {"status": 202, "json": {"state": "making"}}


def test_the_sheet_has_the_keyboard_to_itself_and_gives_it_back(open_page: OpenPage) -> None:
    page, far = open_page(prepare=a_choice)
    start_talking(page)
    page.get_by_role("button", name="Settings").focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Settings")
    expect(sheet).to_be_visible()
    expect(page.get_by_role("heading", name="Settings")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
    assert far.of_type("interrupt") == far.of_type("mute") == []
    page.keyboard.press("Escape")
    until(page, lambda: far.of_type("interrupt"))


def test_everything_on_the_sheet_is_reached_by_tab(open_page: OpenPage) -> None:
    page, far = open_page()
    settings(page, far)
    expect(page.locator("#phone-number")).to_be_visible()  # that part is fetched
    reached = []
    name = "((it) => it.id || it.name || it.textContent)(document.activeElement)"
    for _ in range(11):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(name))
    assert reached == [
        *("settings-close", "language_model", "voice", "listen"),
        *("phone-number", "Add", "phone-pin", "Set PIN", "phone-rings", "phone-recorded"),
        "earcons",
    ]


def test_a_press_beside_the_sheet_or_on_its_cross_closes_it(open_page: OpenPage) -> None:
    page, _far = open_page(prepare=a_choice)
    sheet = page.get_by_role("dialog", name="Settings")
    open_sheet(page)
    page.get_by_role("heading", name="Settings").click()
    expect(sheet).to_be_visible()
    page.mouse.click(100, 300)
    expect(sheet).to_be_hidden()
    open_sheet(page)
    page.get_by_role("button", name="Close the settings").click()
    expect(sheet).to_be_hidden()


def test_a_choice_is_kept_by_the_server_for_this_person_alone(open_page: OpenPage) -> None:
    page, _far = open_page(name="anna")
    open_sheet(page)
    page.get_by_role("radio", name="Local commands", exact=True).check()
    expect(page.locator(SAID)).to_have_text("Kept. It holds from your next words on.")
    with page.expect_response("**/preferences/") as answer:
        page.get_by_label("Voice").select_option(label="German")
    assert answer.value.ok
    page.reload()
    open_sheet(page)
    assert chosen(page) == "local"
    expect(page.get_by_label("Voice")).to_have_value("pico/de-DE")
    other, _far = open_page(name="ben")
    open_sheet(other)
    assert chosen(other) == ""
    expect(other.get_by_label("Voice")).to_have_value("")


def test_what_the_server_refuses_is_said_and_what_is_kept_is_shown_again(
    open_page: OpenPage,
) -> None:
    page, _far = open_page(name="ben")
    open_sheet(page)
    page.evaluate("document.querySelector('#answerers [value=local]').value = 'openai'")
    page.get_by_role("radio", name="Local commands", exact=True).check()
    expect(page.locator(SAID)).to_contain_text("This server does not offer that.")
    expect(page.get_by_role("radio", name="Leave it to the server")).to_be_checked()


def test_who_was_signed_out_meanwhile_is_told(open_page: OpenPage) -> None:
    page, _far = open_page()
    page.context.clear_cookies()
    page.get_by_role("button", name="Settings").click()
    expect(page.locator(SAID)).to_have_text("Please log in first.")
    expect(page.get_by_role("radiogroup", name="Who answers")).to_be_hidden()


def test_of_choices_made_in_a_row_the_last_is_kept(open_page: OpenPage) -> None:
    page, far = open_page(prepare=a_choice)
    open_sheet(page)
    page.get_by_role("radio", name="Anthropic Claude").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    until(page, lambda: kept(far) and kept(far)[-1] == {"language_model": "local"})
    assert chosen(page) == "local"


def test_what_cannot_be_chosen_says_why(open_page: OpenPage) -> None:
    page, _far = open_page(name="ben")
    open_sheet(page)
    expect(page.get_by_role("radio", name="Anthropic Claude Not set up")).to_be_disabled()
    page, _far = open_page(name="olga")
    open_sheet(page)
    expect(page.get_by_role("radio", name="Claude Not in LANGUAGE_MODEL")).to_be_disabled()


def test_a_business_and_what_is_answered_here_anyway_are_named(open_page: OpenPage) -> None:
    page, far = open_page()
    settings(page, far)
    expect(page.get_by_role("radio", name="Leave it to Acme Dental now: Local")).to_be_visible()
    expect(page.get_by_text("answered on this server itself")).to_be_visible()


def test_a_voice_is_heard_once_it_is_made_with_replies_switched_off_too(
    open_page: OpenPage, sample: Message
) -> None:
    page, far = open_page(prepare=a_choice)
    far.samples = [MAKING, sample]
    page.get_by_role("button", name="Spoken replies").click()
    open_sheet(page)
    page.get_by_label("Voice").select_option(label="Marin")
    page.get_by_role("button", name="Listen", exact=True).click()
    until(page, lambda: counter(page, "clipsPlayed") == 1)
    asked = [body for method, _path, body in far.requests if method == "POST"]
    assert asked == [{"voice": "openai/marin"}] * 2
    expect(page.locator(SAID)).to_have_text("")


def test_an_open_microphone_does_not_hear_the_sample(open_page: OpenPage, sample: Message) -> None:
    page, far = open_page(prepare=a_choice)
    far.samples = [sample]
    start_talking(page)
    open_sheet(page)
    page.get_by_role("button", name="Listen", exact=True).click()
    until(page, lambda: len(far.of_type("mute")) == 2)
    assert [message["muted"] for message in far.of_type("mute")] == [True, False]
    assert counter(page, "clipsPlayed") == 1


def test_a_voice_that_cannot_be_heard_says_so_and_can_be_tried_again(
    open_page: OpenPage, sample: Message
) -> None:
    page, far = open_page(prepare=a_choice)
    far.samples = [{"status": 502, "json": {"error": SENTENCE}}, sample]
    open_sheet(page)
    page.get_by_role("button", name="Listen", exact=True).click()
    expect(page.locator(SAID)).to_have_text(SENTENCE)
    page.get_by_role("button", name="Listen", exact=True).click()
    until(page, lambda: counter(page, "clipsPlayed") == 1)


def test_the_tones_are_switched_in_the_sheet_and_stay_so(open_page: OpenPage) -> None:
    page, _far = open_page(prepare=a_choice)
    open_sheet(page)
    tones = page.get_by_role("switch", name="Tones when a call starts and ends")
    expect(tones).to_be_checked()
    tones.press("Space")
    expect(tones).not_to_be_checked()
    page.reload()
    open_sheet(page)
    expect(tones).not_to_be_checked()
