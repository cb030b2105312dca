"""One log line per event: a constant message, then its fields as key=value.

Callers' words and tool arguments are content: they never appear in the message text, and not in
a field either below DEBUG.
"""

from __future__ import annotations

import logging

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """`2026-01-31T10:00:00Z INFO voice.call turn finished call_id=… turn_id=… total_ms=612`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = {k: v for k, v in record.__dict__.items() if k not in _STANDARD and k != "data"}
        tail = "".join(f" {key}={_quoted(value)}" for key, value in fields.items())
        return super().formatMessage(record) + tail


def _quoted(value: object) -> str:
    text = str(value)
    return repr(text) if any(c.isspace() or c == "=" for c in text) else text
