"""Which bytes of a file a player asks for: the single ranges of RFC 9110, section 14. Pure."""

from __future__ import annotations

import re

# One answer holds no more; players ask for what follows.
MOST_BYTES = 512 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Unsatisfiable(Exception):
    """There is no such byte."""


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """(first, last) of at most `MOST_BYTES`; None: the whole file, for no range we understand."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), int(last) if last else size - 1
    if start >= size or end < start:
        raise Unsatisfiable
    return start, min(end, size - 1, start + MOST_BYTES - 1)
