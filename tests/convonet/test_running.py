from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from convonet import running

CHOSEN = {"PORT": "8123", "REDIS_URL": "redis://:p@127.0.0.1:1/0", "OPENAI_API_KEY": "sk-1"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in running.SHARED:
        # First set, so that monkeypatch also removes what `adopt` sets.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_commands_beside_a_running_launcher_take_its_choices(tmp_path: Path) -> None:
    running.record(tmp_path, CHOSEN)
    running.adopt(tmp_path)
    assert os.environ["PORT"] == "8123"
    assert os.environ["REDIS_URL"] == CHOSEN["REDIS_URL"]


def test_the_environment_itself_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running.record(tmp_path, CHOSEN)
    monkeypatch.setenv("PORT", "9000")
    running.adopt(tmp_path)
    assert os.environ["PORT"] == "9000"


def test_only_the_same_user_may_read_it(tmp_path: Path) -> None:
    running.record(tmp_path, CHOSEN)
    assert stat.S_IMODE((tmp_path / running.FILE).stat().st_mode) == 0o600


def test_keys_of_providers_are_not_written(tmp_path: Path) -> None:
    running.record(tmp_path, CHOSEN)
    assert "sk-1" not in (tmp_path / running.FILE).read_text()


def test_choices_of_a_launcher_that_was_killed_are_not_taken(tmp_path: Path) -> None:
    running.record(tmp_path, CHOSEN)
    ended = subprocess.Popen(["true"])
    ended.wait()
    state = json.loads((tmp_path / running.FILE).read_text())
    (tmp_path / running.FILE).write_text(json.dumps(state | {"pid": ended.pid}))
    running.adopt(tmp_path)
    assert "PORT" not in os.environ


@pytest.mark.parametrize("text", ["", "{", "{}", '{"pid": 1'])
def test_garbled_file_changes_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / running.FILE).write_text(text)
    running.adopt(tmp_path)
    assert "PORT" not in os.environ


def test_forgotten_choices_are_gone(tmp_path: Path) -> None:
    running.record(tmp_path, CHOSEN)
    running.forget(tmp_path)
    running.forget(tmp_path)
    running.adopt(tmp_path)
    assert "PORT" not in os.environ
