"""A short chaos run of the whole product: every victim once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.chaos.victims import VICTIMS
from tests.stack import ROOT

SECONDS = 420


@pytest.mark.soak
@pytest.mark.service
@pytest.mark.timeout(SECONDS + 30)
def test_a_run_with_every_victim_once_breaks_no_promise() -> None:
    env = os.environ | {"KILLS": str(len(VICTIMS)), "SEED": "1"}
    for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "REDIS_URL", "SECRET_KEY"):
        env.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 violations" in done.stdout
