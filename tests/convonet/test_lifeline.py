"""A process under the lifeline ends with its parent, even when that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.stack import ROOT, wait_until

PARENT = """\
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "convonet.lifeline", *sys.argv[1:]])
print(child.pid, flush=True)
time.sleep(60)
"""


def start_parent(*arguments: str, cwd: Path = ROOT) -> tuple[subprocess.Popen[str], psutil.Process]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    wait_until(lambda: child.name() == "sleep", 60, "the command runs")
    return parent, child


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of a parent")
def test_command_ends_when_its_parent_is_killed() -> None:
    parent, child = start_parent("--", "sleep", "60")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: has_ended(child), 60, "the command ends")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of a parent")
def test_line_of_the_procfile_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("rest: SECONDS=60; exec sleep $SECONDS\n")
    parent, child = start_parent("rest", cwd=tmp_path)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: has_ended(child), 60, "the command ends")
