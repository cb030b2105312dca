"""A program that the worker's parent forks and keeps running, so that it shares the parent's pages.

The parent has loaded and frozen all that the program needs; what it inherited and must not touch,
descriptors and signal handlers, is taken from it before it begins.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import NoReturn

from convonet import census, lifeline

logger = logging.getLogger("workers.offspring")

# Who lived so long and then died is started again at once.
STEADY_SECONDS = 10.0
FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS = 0.2, 10.0
STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class Patience:
    """How long to wait before the next start of a program that keeps ending. Pure."""

    def __init__(self) -> None:
        self._delay = 0.0

    def delay(self, lived_seconds: float) -> float:
        """Seconds: none the first time, then twice as long each time, up to a bound."""
        if lived_seconds >= STEADY_SECONDS:
            self._delay = 0.0
        now = self._delay
        self._delay = min(MOST_DELAY_SECONDS, max(FIRST_DELAY_SECONDS, 2 * now))
        return now


class Offspring:
    """Runs `main` in a process of its own until SIGTERM, and again whenever it ends.

    Every method belongs to the parent's main thread. `title` is what `ps` shows.
    """

    def __init__(self, title: str, main: Callable[[], None]) -> None:
        self._title, self._main = title, main
        self._patience = Patience()
        self._pid: int | None = None
        self._began = 0.0
        self._start_at = 0.0
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """None while there is none."""
        return self._pid

    def look(self) -> None:
        """Start it if it does not run; costs one system call if it does."""
        if self._stopped:
            return
        if self._pid is not None and (code := _ended(self._pid)) is not None:
            self._pid = None
            again_in = self._patience.delay(monotonic() - self._began)
            self._start_at = monotonic() + again_in
            fields = {"program": self._title, "exitcode": code, "again_in_s": again_in}
            logger.error("program ended, starting another", extra=fields)
        if self._pid is None and monotonic() >= self._start_at:
            self._began = monotonic()
            self._pid = _fork(self._title, self._main)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end and wait for that; then insist."""
        self._stopped = True
        if self._pid is None:
            return
        _send(self._pid, signal.SIGTERM)
        deadline = monotonic() + seconds
        while _ended(self._pid) is None:
            if monotonic() > deadline:
                _send(self._pid, signal.SIGKILL)
                deadline = float("inf")
            sleep(_LOOK_SECONDS)
        self._pid = None


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _ended(pid: int) -> int | None:
    """Its exit code, negative for a signal; None while it runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0  # somebody else has taken its exit code
    return os.waitstatus_to_exitcode(status) if found else None


def _fork(title: str, main: Callable[[], None]) -> int:
    parent = os.getpid()
    # What is sent to it before it has handlers of its own shall not meet the parent's.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _become(title, main, parent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _become(title: str, main: Callable[[], None], parent: int) -> NoReturn:
    code = 1
    try:
        _settle(title, parent)
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        logger.exception("program failed", extra={"program": title})
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        # What the parent would do at its end is not for its copy to do.
        os._exit(code)


def _settle(title: str, parent: int) -> None:
    """In the new process: make it one of its own."""
    lifeline.die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    gc.freeze()
    # A Ctrl-C in the terminal is the parent's to pass on, once its children are done.
    os.setpgid(0, 0)
    _let_go_of_descriptors()
    _reset_signals()
    census.answer_when_asked()
    with suppress(ImportError):
        import setproctitle

        setproctitle.setproctitle(title)


def _let_go_of_descriptors() -> None:
    """Each inherited one becomes the null device.

    Not merely closed: objects that still name its number would one day close what took its place.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in _open_descriptors():
        if descriptor > 2 and descriptor != null:
            os.dup2(null, descriptor, inheritable=False)
    os.close(null)


def _open_descriptors() -> list[int]:
    for place in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            listed = [int(name) for name in os.listdir(place)]
            return [number for number in listed if _is_open(number)]
    return []


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _ALL_SIGNALS:
        with suppress(OSError, ValueError):
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
