"""Chromium, the pages, and signed-in people for the browser tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.chromium import EXECUTABLE, launch, write_tone
from tests.browser.far_side import FarSide
from tests.browser.pages import served_pages
from tests.browser.steps import STEP_MS, sign_in

OpenPage = Callable[..., tuple[Page, FarSide]]


@pytest.fixture(scope="package")
def pages_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_pages(tmp_path_factory.mktemp("pages")) as url:
        yield url


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Ends with these tests: while it runs, no other test could use asyncio or the ORM."""
    if not os.path.exists(EXECUTABLE):
        pytest.skip("Chromium is not installed (Debian and Ubuntu: apt-get install chromium)")
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its microphone hears a tone of 440 Hz, recorded at 48 kHz, for ten seconds."""
    tone = write_tone(tmp_path_factory.mktemp("tone") / "a.wav", hertz=440, seconds=10)
    with launch(playwright, tone) as running:
        yield running


@pytest.fixture(scope="package")
def session_of(browser: Browser, pages_url: str) -> Callable[[str], Any]:
    """The stored session of a person by name; each signs in once."""
    known: dict[str, Any] = {}

    def session(name: str) -> Any:
        if name not in known:
            with browser.new_context() as context:
                sign_in(context, pages_url, name)
                known[name] = context.storage_state()
        return known[name]

    return session


@pytest.fixture
def open_page(
    browser: Browser, pages_url: str, session_of: Callable[[str], Any]
) -> Iterator[OpenPage]:
    """Opens a person's page with its far side; closes all of them at the end."""
    contexts: list[BrowserContext] = []

    def opened(
        *,
        name: str = "anna",
        prepare: Callable[[FarSide], None] | None = None,
        script: str = "",
        **options: Any,
    ) -> tuple[Page, FarSide]:
        context = browser.new_context(storage_state=session_of(name), **options)
        contexts.append(context)
        context.set_default_timeout(STEP_MS)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        far = FarSide(page)
        if prepare:
            prepare(far)
        page.goto(pages_url)
        page.locator("body[data-ready]").wait_for()
        return page, far

    yield opened
    for context in contexts:
        context.close()
