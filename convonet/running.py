"""What a running launcher chose, kept in `var/run.json` for commands in another terminal.

`manage.py call` or `manage.py shell` must reach the same broker and ports as the product that
`make run` started; settings take them as defaults below the environment's own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from convonet import allotted, profiles

FILE = "run.json"
SHARED = (
    *("PORT", "REDIS_URL", "MCP_PORT", "FLOWER_PORT", "DATABASE_URL", "PUBLIC_URL"),
    # With which `manage.py call --twilio` signs, as Twilio would.
    *("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    # What it was given, so that `manage.py memory` tells the same.
    *(allotted.NAME, allotted.REASON, *profiles.SMALL.variables),
)


def record(var_dir: Path, environment: Mapping[str, str]) -> None:
    """Write the launcher's choices where only the same user may read them."""
    chosen = {name: environment[name] for name in SHARED if name in environment}
    path = var_dir / FILE
    candidate = path.with_suffix(".new")
    candidate.unlink(missing_ok=True)
    with open(os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"pid": os.getpid(), "environment": chosen}, file)
    candidate.replace(path)


def forget(var_dir: Path) -> None:
    (var_dir / FILE).unlink(missing_ok=True)


def adopt(var_dir: Path) -> None:
    """Take a living launcher's choices for what the environment does not set itself."""
    try:
        state = json.loads((var_dir / FILE).read_text())
        os.kill(state["pid"], 0)
    except (OSError, ValueError, KeyError):
        return
    for name, value in state["environment"].items():
        os.environ.setdefault(name, value)


def launcher(var_dir: Path) -> int | None:
    """The pid of the launcher that runs on this directory, if one does."""
    try:
        pid = int(json.loads((var_dir / FILE).read_text())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError):
        return None
    return pid
