"""The conversation on the page: words as they come, as they are heard, and as they are cut."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import start_talking, until

pytestmark = pytest.mark.browser


def test_interim_words_are_lighter_until_they_settle(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    far.send("transcript", turn="a", text="add buy", final=False, source="voice")
    said = page.locator(".said")
    expect(said).to_have_text("add buy")
    light = said.evaluate("(element) => getComputedStyle(element).color")
    far.send("transcript", turn="a", text="Add buy milk.", final=True, source="voice")
    expect(said).to_have_text("Add buy milk.")
    assert said.evaluate("(element) => getComputedStyle(element).color") != light
    expect(page.locator("#announcer")).to_have_text("You: Add buy milk.")


def test_speech_that_was_none_leaves_no_words(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    far.send("transcript", turn="a", text="uh", final=False, source="voice")
    expect(page.locator(".said")).to_have_count(1)
    far.send("state", state="listening")
    expect(page.locator(".said")).to_have_count(0)
    far.send("transcript", turn="b", text="hm", final=False, source="voice")
    far.send("transcript", turn="b", text="", final=True, source="voice")
    expect(page.locator(".turn")).to_have_count(0)


def test_words_darken_as_they_are_heard_and_all_have_when_it_is_over(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    words = "One two three four five six seven eight."
    far.send("state", state="speaking")
    far.send("reply_delta", turn="a", text=words + " Nine.")
    far.send("sentence", turn="a", seq=0, text=words, from_ms=0)
    expect(page.locator(".answer")).to_have_text(words + " Nine.")
    far.send_audio(1, from_ms=0, ms=1500)
    page.locator(".word-heard").nth(1).wait_for()
    assert page.locator(".word-heard").count() < 8
    far.send("sentence", turn="a", seq=1, text="Nine.", from_ms=1500)
    far.send_audio(1, from_ms=1500, ms=300)
    expect(page.locator(".word-heard")).to_have_count(9)
    far.send(
        "turn_done",
        turn="a",
        number=1,
        state="done",
        reply=words + " Nine.",
        heard=words + " Nine.",
        answered_by="Anthropic Claude",
        timings_ms={"transcript": 310, "first_audio": 840},
    )
    expect(page.locator("#latency")).to_have_text(
        "Anthropic Claude answered in 0.84 s · understood after 0.31 s"
    )
    expect(page.locator(".word-cut")).to_have_count(0)


def test_what_was_not_heard_of_an_interrupted_reply_is_struck(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    far.send("sentence", turn="a", seq=0, text="You have ten things to do.", from_ms=0)
    far.send("clear", turn="a", number=1)
    far.send(
        "turn_done",
        turn="a",
        number=1,
        state="interrupted",
        reply="You have ten things to do.",
        heard="You have ten",
        timings_ms={},
    )
    expect(page.locator(".word-cut")).to_have_text("things to do.")
    expect(page.locator(".answer")).to_have_text("You have ten things to do.interrupted")
    assert page.locator(".word-cut").evaluate("(element) => element.tagName") == "DEL"


def test_a_tool_call_is_one_chip_that_can_be_undone(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    far.send("tool", turn="a", id="1", name="add_todos", status="running", summary="")
    chip = page.locator(".chip")
    expect(chip).to_have_text("adding…")
    far.send(
        "tool",
        turn="a",
        id="1",
        name="add_todos",
        status="done",
        summary="added: buy milk, tomorrow 5 PM",
        change=31,
        todos=[],
    )
    expect(chip).to_have_text("added: buy milk, tomorrow 5 PMundo")
    page.get_by_role("button", name="Undo: added: buy milk").click()
    expect(chip).to_contain_text("undone")
    assert ("POST", "/changes/31/undo/", None) in far.requests


def test_words_are_never_read_as_markup(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    nasty = "<img src=x onerror=alert(1)>"
    far.send("transcript", turn="a", text=nasty, final=True, source="voice")
    far.send("sentence", turn="a", seq=0, text=nasty, from_ms=0)
    far.send("notice", text=nasty, level="warning")
    expect(page.locator(".note")).to_have_text(nasty)
    expect(page.locator(".transcript img")).to_have_count(0)


def test_typed_words_show_at_once_and_once(open_page: OpenPage) -> None:
    page, far = open_page()
    page.get_by_label("Type to Convonet").fill("buy milk")
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_have_text("buy milk")
    until(page, lambda: far.of_type("text"))
    far.send("transcript", turn="a", text="buy milk", final=True, source="typed")
    expect(page.locator(".said:not(.interim)")).to_have_count(1)
    expect(page.locator(".said")).to_have_count(1)
