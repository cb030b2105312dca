"""Ties a process to its parent: `python -m convonet.lifeline NAME` runs a line of the Procfile.

The supervisor starts every process through this, so that none outlives it, even if it is killed
with no chance to clean up. Standard library only: the command replaces this interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from convonet import procfile

PR_SET_PDEATHSIG = 1
# Before another command: it is asked to end (SIGTERM) when whoever started it has ended.
COMMAND = (sys.executable, "-m", "convonet.lifeline", "--")
# Variables that glibc reads when a program starts, and the parameters of mallopt(3) they stand for.
_MALLOPT = {
    "MALLOC_ARENA_MAX": -8,
    "MALLOC_MMAP_THRESHOLD_": -3,
    "MALLOC_TOP_PAD_": -2,
    "MALLOC_TRIM_THRESHOLD_": -1,
}


def die_with_parent(sent: int = signal.SIGKILL) -> None:
    """Have the kernel send `sent` when the parent ends; survives exec, but not fork.

    Only Linux knows this. Elsewhere a killed supervisor leaves its processes to be ended by hand.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
    if os.getppid() != parent:
        # The parent ended before the kernel was told.
        os.kill(os.getpid(), sent)


def tell_allocator(settings: Mapping[str, str]) -> None:
    """Give glibc's allocator the settings it would have read if this process were a new program.

    Other C libraries have no such function and are left as they are.
    """
    wanted = {name: settings[name] for name in _MALLOPT.keys() & settings.keys()}
    if not wanted or not sys.platform.startswith("linux"):
        return
    import ctypes

    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for name, value in wanted.items():
            mallopt(_MALLOPT[name], int(value))


def reset_signals() -> None:
    """Handle signals as a new Python process does; those blocked meanwhile come now."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def main(arguments: list[str]) -> None:
    name = arguments[0]
    if name == "--":
        # The broker: it may write its file to the end.
        die_with_parent(signal.SIGTERM)
        os.execvp(arguments[1], arguments[1:])  # noqa: S606
    commands = procfile.read(Path("Procfile"))
    die_with_parent()
    os.execv("/bin/sh", ["sh", "-c", commands[name]])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
