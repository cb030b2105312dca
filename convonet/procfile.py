"""Reads the Procfile: one `name: shell command` a line."""

from __future__ import annotations

import re
from pathlib import Path

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")


def read(path: Path) -> dict[str, str]:
    """The commands by name, in the file's order; raises ValueError for a line that is neither."""
    commands = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name} has a line that is no process: {line!r}")
        commands[match[1]] = match[2]
    return commands
