"""Writes a screenshot of every state of the page, light and dark, desktop and phone.

Run as `python -m tests.browser.screenshots [folder] [state ...]`; the folder is docs/screenshots.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import launch, write_tone
from tests.browser.far_side import FarSide, Message, todo
from tests.browser.pages import ROOT, served_pages
from tests.browser.steps import sign_in, start_talking, until, wait_for_state

SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
REPLY = (
    "Done. Buy milk is on your list for tomorrow at five.",
    "You also have the dentist at nine and the plumber at four.",
)


def a_full_life(far: FarSide) -> None:
    far.lists = [
        {"id": 1, "name": "todo", "default": True},
        {"id": 2, "name": "groceries", "default": False},
    ]
    far.todos = [
        todo(1, "Call the plumber", due_text="today 4 PM", priority="high"),
        todo(2, "Dentist appointment", due_text="today 9 AM", overdue=True),
        todo(3, "Buy paint", tags=["house"]),
        todo(
            4,
            "Write the annual budget",
            due_text="Friday",
            notes="Ask Sarah for the numbers",
            assignee="Anna",
        ),
        todo(5, "Water the plants", due_text="Monday 9 AM", repeat_text="every Monday"),
        todo(6, "Eggs", list="groceries"),
        todo(7, "Bread", list="groceries"),
        todo(8, "Tax return", done=True),
    ]
    far.reminders = [
        {"id": 1, "text": "Call Anna", "due": None, "due_text": "Friday 9 AM", "repeat_text": ""}
    ]


def a_full_server() -> Message:
    """What a person may choose where some providers are paid for and others are not."""
    models = [("anthropic", "Anthropic Claude"), ("local", "Local commands")]
    others = [("google", "Google Gemini"), ("openai", "OpenAI"), ("compatible", "Own server")]
    reason = "Not set up on this server."
    spoken = [("openai/alloy", "Alloy"), ("openai/marin", "Marin")]
    local = [("pico/en-GB", "British English"), ("pico/de-DE", "German")]
    return {
        "language_model": "anthropic",
        "voice": "",
        "language_models": {
            "left_to": "Acme Dental",
            "now": "Local commands",
            "options": [
                *({"name": name, "label": label, "reason": ""} for name, label in models),
                *({"name": name, "label": label, "reason": reason} for name, label in others),
            ],
        },
        "voices": {
            "left_to": "the server",
            "now": "OpenAI voices",
            "groups": [
                {"label": label, "reason": "", "voices": _named(voices)}
                for label, voices in (("OpenAI voices", spoken), ("Pico", local))
            ],
        },
        "prefer_local": True,
    }


def _named(pairs: list[tuple[str, str]]) -> list[Message]:
    return [{"name": name, "label": label} for name, label in pairs]


def first_run(page: Page, far: FarSide) -> None:
    page.get_by_role("heading", name="Say what you need to do.").wait_for()


def connecting(page: Page, far: FarSide) -> None:
    far.answers_calls = False
    page.click("#talk")
    wait_for_state(page, "connecting")


def listening(page: Page, far: FarSide) -> None:
    start_talking(page)


def hearing(page: Page, far: FarSide) -> None:
    listening(page, far)
    far.send("state", state="hearing")
    far.send("transcript", turn="a", text="add buy milk tomorrow", final=False, source="voice")
    wait_for_state(page, "hearing")


def thinking(page: Page, far: FarSide) -> None:
    hearing(page, far)
    words = "Add buy milk tomorrow at five."
    far.send("transcript", turn="a", text=words, final=True, source="voice")
    far.send("state", state="thinking")
    far.send("tool", turn="a", id="1", name="add_todos", status="running", summary="", change=None)
    wait_for_state(page, "thinking")


def speaking(page: Page, far: FarSide) -> None:
    thinking(page, far)
    added = todo(9, "Buy milk", due_text="tomorrow 5 PM")
    far.todos.insert(3, added)
    far.send(
        "tool",
        turn="a",
        id="1",
        name="add_todos",
        status="done",
        summary="added: buy milk, tomorrow 5 PM",
        change=3,
        todos=[added["id"]],
        arguments={},
    )
    far.send("reply_delta", turn="a", text=" ".join(REPLY))
    far.send("state", state="speaking")
    for seq, text in enumerate(REPLY):
        far.send("sentence", turn="a", seq=seq, text=text, from_ms=2600 * seq)
        far.send_audio(1, from_ms=2600 * seq, ms=2600)
    page.locator(".word-heard").nth(6).wait_for()


def interrupted(page: Page, far: FarSide) -> None:
    speaking(page, far)
    page.keyboard.press("Escape")
    far.send("clear", turn="a", number=1)
    timings = {"endpoint": 610, "transcript": 640, "first_token": 700, "first_audio": 860}
    far.send(
        "turn_done",
        turn="a",
        number=1,
        state="interrupted",
        reply=" ".join(REPLY),
        heard="Done. Buy milk is on your list",
        answered_by="Anthropic Claude",
        timings_ms=timings,
    )
    far.send("state", state="listening")
    page.wait_for_selector(".word-cut")


def muted(page: Page, far: FarSide) -> None:
    interrupted(page, far)
    page.click("#mute")
    wait_for_state(page, "muted")


def microphone_refused(page: Page, far: FarSide) -> None:
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('', 'NotAllowedError') } }"
    )
    page.click("#talk")
    page.wait_for_selector(".note")


def offline(page: Page, far: FarSide) -> None:
    page.context.set_offline(True)
    wait_for_state(page, "offline")


def busy(page: Page, far: FarSide) -> None:
    far.busy = True
    page.click("#talk")
    page.get_by_role("button", name="Wait for a free line").wait_for()


def waiting(page: Page, far: FarSide) -> None:
    busy(page, far)
    page.get_by_role("button", name="Wait for a free line").click()
    until(page, lambda: far.waits)
    far.send_line("line", place=3, of=5)
    page.get_by_text("You are number 3 of 5 in line.").first.wait_for()


def line_free(page: Page, far: FarSide) -> None:
    waiting(page, far)
    far.send_line("free", seconds=20)
    page.get_by_text("A line is free.", exact=True).wait_for()


def turn_missed(page: Page, far: FarSide) -> None:
    line_free(page, far)
    far.end_wait("missed", "Your turn went by, and the line is the next caller's now.")
    page.get_by_text("Wait again?").wait_for()


def editing(page: Page, far: FarSide) -> None:
    page.get_by_role("button", name="Details: Write the annual budget").click()
    page.get_by_role("form", name="Details of").scroll_into_view_if_needed()


def deleted(page: Page, far: FarSide) -> None:
    page.get_by_role("button", name="Details: Buy paint").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Deleted “Buy paint”").wait_for()


def reminder_due(page: Page, far: FarSide) -> None:
    far.send_page("reminder", id=1, text="Call Anna", speech="Time to call Anna.", audio="")
    page.locator(".due-card").wait_for()


def settings(page: Page, far: FarSide) -> None:
    far.preferences = a_full_server()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("radio", name="Anthropic Claude").wait_for()


def settings_kept(page: Page, far: FarSide) -> None:
    interrupted(page, far)
    settings(page, far)
    page.get_by_role("radio", name="Local commands", exact=True).check()
    page.get_by_text("Kept.").wait_for()


def settings_not_heard(page: Page, far: FarSide) -> None:
    settings(page, far)
    sentence = "This voice did not speak. Try again in a moment, or choose another."
    far.samples = [{"status": 502, "json": {"error": sentence}}]
    page.get_by_role("button", name="Listen", exact=True).click()
    page.get_by_text(sentence).wait_for()


STATES: tuple[Callable[[Page, FarSide], None], ...] = (
    first_run,
    connecting,
    listening,
    hearing,
    thinking,
    speaking,
    interrupted,
    muted,
    microphone_refused,
    offline,
    busy,
    waiting,
    line_free,
    turn_missed,
    editing,
    deleted,
    reminder_due,
    settings,
    settings_kept,
    settings_not_heard,
)


def main(folder: Path, wanted: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var, sync_playwright() as playwright:
        tone = write_tone(Path(var) / "tone.wav", hertz=300, seconds=20)
        with (
            served_pages(Path(var), embedded=True) as url,
            launch(playwright, tone) as browser,
        ):
            for theme in THEMES:
                for screen in SCREENS:
                    _shoot(browser, url, folder, theme, screen, wanted)


def _shoot(
    browser: Browser, url: str, folder: Path, theme: str, screen: str, wanted: list[str]
) -> None:
    width, height = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=screen == "phone",
    )
    if not wanted or "login" in wanted:
        page = context.new_page()
        page.goto(f"{url}/login/")
        if "login" in page.url:
            page.screenshot(path=folder / f"login-{screen}-{theme}.png")
        page.close()
    page = sign_in(context, url, "demo")
    state = page.context.storage_state()
    context.close()
    for show in STATES:
        name = show.__name__.replace("_", "-")
        if wanted and name not in wanted:
            continue
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=screen == "phone",
            storage_state=state,
        )
        page = context.new_page()
        far = FarSide(page)
        a_full_life(far)
        page.goto(url)
        page.locator(".todo").first.wait_for()
        show(page, far)
        page.wait_for_timeout(350)
        page.screenshot(path=folder / f"{name}-{screen}-{theme}.png")
        context.close()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(Path(arguments[0]) if arguments else ROOT / "docs" / "screenshots", arguments[1:])
