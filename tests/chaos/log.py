"""The run's event log: one JSON object a line, each with the moment it was written."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


class EventLog:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._began = time.time()

    def write(self, event: str, **fields: Any) -> None:
        """`at` is the wall clock, `t` the seconds since the run began."""
        now = time.time()
        line = {"at": round(now, 4), "t": round(now - self._began, 3), "event": event, **fields}
        self._file.write(json.dumps(line, default=str) + "\n")

    def close(self) -> None:
        self._file.close()
