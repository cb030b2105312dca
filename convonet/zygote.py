"""Loads what all Python processes of the product share, once; each is then forked from here.

A forked process shares the pages of what its parent loaded until it writes to them, and starts in
a fraction of the time. Whatever is made per process (connections, threads, loops) is not made here.
"""

from __future__ import annotations

import atexit
import gc
import os
import runpy
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from convonet import census, lifeline, procfile

SETTINGS = "DJANGO_SETTINGS_MODULE"
# What nearly every process loads, besides Django's applications.
SHARED = (
    "asgiref.sync",
    "django.db.models.sql.compiler",
    "monitor.board",
    "monitor.lookout",
    "redis.asyncio",
    "setproctitle",
    "voice.envelope",
    "voice.leases",
)
# And what each worker loads, where more than one of them runs.
WORKERS = (
    "celery.apps.worker",
    "celery.concurrency.asynpool",
    "celery.worker.components",
    "kombu.transport.redis",
)


def keep_title_room() -> None:
    """Before the environment is changed: titles are later written where it lies now."""
    from setproctitle import getproctitle

    getproctitle()


def load() -> None:
    """Raises whatever the product's own code raises when it cannot be loaded."""
    os.environ[SETTINGS] = "convonet.settings"
    try:
        import django

        django.setup()
        for module in SHARED:
            import_module(module)
    finally:
        # Each process names its settings itself, and Flower has none.
        del os.environ[SETTINGS]


def load_for_workers() -> None:
    for module in WORKERS:
        import_module(module)


def freeze() -> None:
    """From here on the collector neither looks through nor writes to what is loaded."""
    gc.collect()
    gc.freeze()


def runnable(command: procfile.Command) -> Callable[[], object] | None:
    """What the command does, done in this process; None if it is no Python of ours."""
    program, *words = command.words
    if program == "python" and len(words) > 1 and words[0] == "-m":
        return lambda: _run_module(words[1:])
    if program == "python" and words and words[0].endswith(".py"):
        return lambda: run_file(*words)
    return None


def _run_module(words: Sequence[str]) -> None:
    sys.argv[:] = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def run_file(*words: str) -> None:
    """As `python FILE ARGUMENT …`."""
    sys.argv[:] = words
    runpy.run_path(words[0], run_name="__main__")


def become(
    name: str,
    run: Callable[[], object],
    environment: Mapping[str, str],
    settings: Mapping[str, str],
) -> NoReturn:
    """In a forked child: be the process of that name, and end with it.

    `settings` are its own variables; what the C library would have read of them is told to it.
    """
    from setproctitle import setproctitle

    lifeline.die_with_parent()
    # First, as it lies where the title needs the room.
    setproctitle(f"convonet: {name}")
    os.environ.clear()
    os.environ.update({**environment, **settings})
    lifeline.tell_allocator(settings)
    lifeline.reset_signals()
    census.answer_when_asked()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]
    os._exit(ended(run))


def ended(run: Callable[[], object]) -> int:
    """Run it, and what an interpreter does at its end; the exit code."""
    code: int | str | None = 0
    try:
        run()
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return int(bool(code)) if isinstance(code, str) else code or 0


def fork(run: Callable[[], object], output: int | None = None) -> int:
    """A child that does this and ends, with this process at the latest; its process id.

    `output`: the file descriptor that takes its standard output.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        lifeline.die_with_parent()
        if output is not None:
            os.dup2(output, 1)
        code = ended(run)
    finally:
        os._exit(code)


def output_of(run: Callable[[], object]) -> tuple[int, str]:
    """Its exit code and what it wrote to its standard output, from a child that did it."""
    reading, writing = os.pipe()
    pid = fork(run, writing)
    os.close(writing)
    with open(reading) as file:
        text = file.read()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), text
