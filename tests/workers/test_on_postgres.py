"""What survives a crash, costs, lockouts and transfers, once more on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.stack import ROOT

pytestmark = [pytest.mark.service, pytest.mark.timeout(400)]
MODULES = [
    "tests/monitor/test_samples.py",
    "tests/phone/test_ringing.py",
    "tests/phone/test_ringing_views.py",
    "tests/phone/test_transfer_views.py",
    "tests/phone/test_tries.py",
    "tests/workers/test_durability.py",
    "tests/workers/test_leases.py",
    "tests/voice/test_usage.py",
    "tests/voice/test_uses.py",
]
# About deadlines, sockets and memory: half a minute of waiting that no database has a part in.
ELSEWHERE = [
    "tests/workers/test_durability.py::" + name
    for name in (
        "test_a_turn_beyond_its_deadline_ends_with_a_true_apology",
        "test_a_tool_server_may_be_down_at_the_start_and_die_during_a_call",
        "test_children_are_kept_over_turns_and_replaced_after_a_greedy_one",
    )
]


def test_turns_survive_and_are_counted_on_postgresql_too(postgres_url: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *MODULES]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*command, "tests/voice/test_sweeper.py", *(f"--deselect={name}" for name in ELSEWHERE)],
        cwd=ROOT,
        env=env | {"TEST_DATABASE_URL": postgres_url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
