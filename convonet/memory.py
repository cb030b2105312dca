"""This process's memory: what it peaked at, and limits on what it may still take."""

from __future__ import annotations

import logging
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger("convonet.memory")

# Of two processes the kernel may kill for memory, it shall kill a child: its turn is redelivered.
VOLUNTEER_SCORE = 500

# The whole stack of a thread counts as data from its start, whatever it uses: of the usual 8 MB
# sixteen threads would be all that a child may grow by. A quarter of this bears Python's own
# recursion limit.
STACK_BYTES = 1024 * 1024

_granted_mb = 0
_enough_kib: int | None = None


def peak_rss_kib() -> int:
    """The same figure, in the same unit, that the pool compares after each task."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def replace_above(kib: int) -> None:
    """This process is to be replaced once its peak is above that."""
    global _enough_kib
    _enough_kib = kib


def has_grown() -> bool:
    """Whether it is above; for those who can end sooner than they would."""
    return _enough_kib is not None and peak_rss_kib() > _enough_kib


def limit_growth(megabytes: int) -> None:
    """Let allocations beyond today's data plus `megabytes` raise MemoryError (Linux)."""
    global _granted_mb
    _granted_mb = megabytes
    threading.stack_size(STACK_BYTES)
    data_kib = _status("VmData")
    if data_kib is None:
        return
    limit = (data_kib + megabytes * 1024) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


@contextmanager
def growing() -> Iterator[None]:
    """Within, this process may take what it needs; then its limit counts from what it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        limit_growth(_granted_mb)


def volunteer() -> None:
    """Be the first the kernel's out-of-memory killer takes (Linux; raising needs no privilege)."""
    try:
        Path("/proc/self/oom_score_adj").write_text(str(VOLUNTEER_SCORE))
    except OSError:
        logger.debug("oom score not set")


def _status(field: str) -> int | None:
    """A field of /proc/self/status in KiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), None)
