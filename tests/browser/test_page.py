"""The page as a whole: who may see it, what it may load, how it looks, how it is worked."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenPage
from tests.browser.far_side import todo
from tests.browser.pages import PASSWORD
from tests.browser.screenshots import (
    a_full_life,
    interrupted,
    microphone_refused,
    settings_not_heard,
    thinking,
)
from tests.browser.steps import until, wait_for_state

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}

# The lowest contrast of any text on the page against what lies behind it, and that text.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 200) return colour;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  let worst = [21, ""];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, text];
  }
  return worst;
}"""


def test_a_stranger_is_sent_to_the_login_page_and_a_wrong_password_is_said(
    browser: Browser, pages_url: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(pages_url)
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("correct username and password")
        assert page.request.post(f"{pages_url}/call/ticket").status == 403
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{pages_url}/")
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{pages_url}/login/")


def test_the_page_loads_only_its_own_files_under_a_strict_policy(open_page: OpenPage) -> None:
    page, _far = open_page()
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    answer = page.reload()
    assert answer is not None
    page.locator("body[data-ready]").wait_for()
    page.locator("#talk").click()
    wait_for_state(page, "listening")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    origin = page.url.rstrip("/")
    assert [url for url in asked if not url.startswith(origin)] == []
    assert problems == []


def test_only_staff_see_the_way_to_the_admin(open_page: OpenPage) -> None:
    page, _far = open_page(name="olga")
    expect(page.get_by_role("link", name="Admin")).to_be_visible()
    page, _far = open_page(name="anna")
    expect(page.get_by_role("link", name="Admin")).to_have_count(0)


def test_the_whole_page_works_by_keyboard_alone(open_page: OpenPage) -> None:
    page, far = open_page()
    page.keyboard.press("Space")
    wait_for_state(page, "listening")
    page.keyboard.press("Space")
    wait_for_state(page, "muted")
    page.keyboard.press("/")
    expect(page.get_by_label("Type to Convonet")).to_be_focused()
    page.keyboard.type("add two eggs")
    page.keyboard.press("Enter")
    until(page, lambda: far.of_type("text"))
    assert far.of_type("text")[0]["text"] == "add two eggs"
    page.keyboard.press("Escape")
    until(page, lambda: far.of_type("interrupt"))
    page.get_by_role("button", name="Hang up").focus()
    page.keyboard.press("Enter")
    wait_for_state(page, "idle")


def test_every_control_can_be_reached_by_tab_and_shows_where_it_is(open_page: OpenPage) -> None:
    page, _far = open_page(prepare=a_full_life)
    wanted = set(page.evaluate(CONTROLS))
    reached = set()
    for _ in range(len(wanted) + 8):
        page.keyboard.press("Tab")
        name, outlined = page.evaluate(FOCUSED)
        assert outlined, f"no visible focus on {name}"
        reached.add(name)
    assert wanted - reached == set()


NAME = "(e) => e.getAttribute('aria-label') || e.textContent.trim() || e.id"
CONTROLS = f"""() => [...document.querySelectorAll("button, a, input, summary")]
  .filter((e) => !e.disabled && e.type !== "hidden" && e.checkVisibility())
  .map({NAME})"""
FOCUSED = f"""() => {{
  const e = document.activeElement;
  const outlined = (x) => getComputedStyle(x).outlineStyle !== "none";
  const shown = e === document.body || outlined(e) || outlined(e.closest("form") ?? e);
  return [({NAME})(e), shown];
}}"""


@pytest.mark.parametrize("show", [None, interrupted, microphone_refused])
def test_a_phone_shows_everything_without_scrolling_sideways(
    open_page: OpenPage, show: Any
) -> None:
    page, far = open_page(prepare=a_full_life, **PHONE)
    if show:
        show(page, far)
    far.todos.append(todo(9, "a" * 120))
    page.reload()
    page.locator("#todo-groups .todo").last.wait_for()
    page.get_by_role("button", name="Details: Write the annual budget").click()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"]
    size = page.locator("#talk").bounding_box()
    assert size is not None
    assert min(size["width"], size["height"]) >= 64


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "show", [None, thinking, interrupted, microphone_refused, settings_not_heard]
)
def test_all_text_has_the_contrast_of_aa(open_page: OpenPage, theme: str, show: Any) -> None:
    page, far = open_page(prepare=a_full_life, color_scheme=theme, reduced_motion="reduce")
    if show:
        show(page, far)
    page.wait_for_timeout(300)
    ratio, text = page.evaluate(CONTRAST)
    assert ratio >= 4.5, f"{ratio:.2f} for {text!r}"


def test_who_wants_less_motion_gets_none_that_loops(open_page: OpenPage) -> None:
    page, far = open_page(reduced_motion="reduce")
    thinking(page, far)
    page.wait_for_timeout(200)
    running = "document.getAnimations().filter((a) => a.playState === 'running').length"
    assert page.evaluate(running) == 0


def test_a_due_reminder_is_shown_told_back_and_dismissed(open_page: OpenPage) -> None:
    page, far = open_page()
    until(page, lambda: far.pages)
    far.send_page("reminder", id=5, text="call Anna", speech="Time to call Anna.", audio="")
    expect(page.locator(".due-card")).to_contain_text("call Anna")
    until(page, lambda: {"type": "reminder_told", "id": 5} in far.page_received)
    far.send_page("reminder", id=5, text="call Anna", speech="Time to call Anna.", audio="")
    expect(page.locator(".due-card")).to_have_count(1)
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".due-card")).to_have_count(0)


def test_a_reminder_in_a_call_is_left_to_the_call_to_speak_and_report(open_page: OpenPage) -> None:
    page, far = open_page()
    page.locator("#talk").click()
    wait_for_state(page, "listening")
    far.send_page("reminder", id=5, text="call Anna", speech="Time to call Anna.", audio="")
    far.send("reminder", id=5, text="call Anna", speech="Time to call Anna.")
    expect(page.locator(".due-card")).to_have_count(1)
    assert far.page_received == []


def test_a_reminder_can_be_put_off_by_ten_minutes(open_page: OpenPage) -> None:
    page, far = open_page()
    until(page, lambda: far.pages)
    far.send_page("reminder", id=6, text="call Anna", speech="Time to call Anna.", audio="")
    page.get_by_role("button", name="In 10 min").click()
    until(page, lambda: far.of_type("text"))
    assert far.of_type("text")[0]["text"] == "remind me in ten minutes to call Anna"


def test_a_page_that_lost_its_server_says_so_and_catches_up_when_it_is_back(
    open_page: OpenPage,
) -> None:
    page, far = open_page()
    until(page, lambda: far.pages)
    far.has_page = False
    far.pages[-1].close(code=1012)
    wait_for_state(page, "offline")
    expect(page.locator("#connection")).to_contain_text("The page keeps trying")
    far.todos.append(todo(1, "added meanwhile"))
    far.has_page = True
    wait_for_state(page, "idle", within_ms=25_000)
    expect(page.get_by_role("button", name="added meanwhile", exact=True)).to_be_visible()


def test_a_signed_out_page_stops_trying_and_says_what_to_do(open_page: OpenPage) -> None:
    page, far = open_page()
    until(page, lambda: far.pages)
    far.pages[-1].close(code=4401)
    expect(page.locator("#connection")).to_contain_text("Reload the page to sign in again.")
