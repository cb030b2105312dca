"""The profile that the environment names, and how it goes on to other processes."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from convonet import allotted, allowance
from convonet.allowance import Allowance


@pytest.fixture(autouse=True)
def small_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(allotted.NAME, raising=False)
    monkeypatch.delenv(allotted.REASON, raising=False)
    seen = Allowance("cgroup v1", 512 * 1024, None, None)
    monkeypatch.setattr(allowance, "read", lambda: seen)


@pytest.mark.parametrize("said", [None, "", "auto"])
def test_without_a_word_the_memory_decides(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said is not None:
        monkeypatch.setenv(allotted.NAME, said)
    assert allotted.profile().name == "small"


def test_a_name_that_is_none_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(allotted.NAME, "huge")
    with pytest.raises(ImproperlyConfigured, match="must be one of auto, small, medium, large"):
        allotted.profile()


def test_other_processes_choose_the_same_for_the_same_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = allotted.profile()
    for name, value in allotted.environment().items():
        monkeypatch.setenv(name, value)
    # Though one that runs outside the group would be allowed more.
    elsewhere = Allowance("machine", 8_000_000, None, None)
    monkeypatch.setattr(allowance, "read", lambda: elsewhere)
    assert allotted.profile() == chosen
