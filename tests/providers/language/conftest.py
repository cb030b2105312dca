"""Asserts of the contract are explained like those of a test file; the routing does not pause."""

from __future__ import annotations

import pytest

from workers.language import routing

pytest.register_assert_rewrite("tests.providers.language.contract")


@pytest.fixture(autouse=True)
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the only provider is asked again."""
    monkeypatch.setattr(routing, "RETRY_SECONDS", 0.0)
