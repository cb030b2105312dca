"""The C library's heap, where it is glibc's: few arenas, and freed memory back to the kernel."""

from __future__ import annotations

import ctypes
import linecache
from functools import cache
from typing import Any

# Of mallopt(3).
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
# Two of a thread's own would keep what a burst took apart from what everybody uses.
MOST_ARENAS = 1
# Larger pieces (a caller's utterance, a page) go back as soon as they are freed. Naming the size
# also keeps glibc from raising it to the largest piece it has seen.
OWN_PAGES_BYTES = 128 * 1024


@cache
def _library() -> Any:
    """The process's own C library if it is glibc, else None."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018
    except (OSError, AttributeError):
        return None
    return library


def keep_small() -> bool:
    """For what is allocated from now on; False where there is no such choice."""
    library = _library()
    if library is None:
        return False
    library.mallopt(_ARENA_MAX, MOST_ARENAS)
    library.mallopt(_MMAP_THRESHOLD, OWN_PAGES_BYTES)
    return True


def give_back() -> bool:
    """Hand all freed pages to the kernel; True if there were any. Takes milliseconds.

    With them the sources that tracebacks quoted, which Python keeps whole: one error on the way to
    the broker makes that 20,000 lines, 2.5 MB.
    """
    linecache.clearcache()
    library = _library()
    return library is not None and bool(library.malloc_trim(0))
