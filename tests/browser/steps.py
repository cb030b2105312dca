"""Steps that browser tests and screenshots share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.browser.pages import PASSWORD

STEP_MS = 8_000
LOOK_EVERY_MS = 30


def sign_in(context: BrowserContext, url: str, name: str, password: str = PASSWORD) -> Page:
    page = context.new_page()
    page.goto(f"{url}/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def until(page: Page, holds: Callable[[], Any], within_ms: int = STEP_MS) -> Any:
    """Lets the page go on until `holds()` is true; answers its value, fails past the deadline."""
    deadline = time.monotonic() + within_ms / 1000
    while not (value := holds()):
        assert time.monotonic() < deadline, "the page did not come to hold what was waited for"
        page.wait_for_timeout(LOOK_EVERY_MS)
    return value


def wait_for_state(page: Page, state: str, within_ms: int = STEP_MS) -> None:
    """Until the round control shows `state`."""
    page.wait_for_selector(f"body[data-state={state}]", timeout=within_ms)


def counter(page: Page, name: str) -> Any:
    return page.evaluate("(name) => window.convonet[name]", name)


def start_talking(page: Page) -> None:
    page.locator("#talk").click()
    wait_for_state(page, "listening")
