"""What is loaded before processes are forked, and that a forked one is like a program of its own.

Each case runs in an interpreter of its own: an end of a process is no matter for the tests' own.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from convonet import procfile, zygote
from tests.stack import ROOT

# Each of these does something else to its own end.
ENDS = """\
import atexit, os, sys, threading, time
from convonet import zygote
def returns(): print("done")
def code(): sys.exit(3)
def words(): sys.exit("no reason")
def error(): raise ValueError("wrong")
def interrupt(): raise KeyboardInterrupt
def handler(): atexit.register(print, "last")
def thread(): threading.Thread(target=lambda: print("awaited")).start()
for run in (returns, code, words, error, interrupt, handler, thread):
    print(run.__name__, *zygote.output_of(run))
"""
# A parent with everything that a child must not keep.
BECOME = """\
import os, signal, sys
from convonet import zygote
zygote.keep_title_room()
os.environ["FROM_PARENT"] = "1"
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
def run():
    print(sorted(os.environ.items()))
    print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    print(open("/proc/self/cmdline").read().strip("\\0 "))
pid = os.fork()
if pid == 0:
    zygote.become("web", run, {"A": "1", "B": "2"}, {"B": "3"})
print(os.waitpid(pid, 0)[1])
"""
LOADED = """\
import sys, threading
from convonet import zygote
zygote.load()
zygote.freeze()
from django.db import connections
print(threading.active_count(), [c.connection for c in connections.all(initialized_only=True)])
print(*sys.modules)
"""
BROKEN = """\
from convonet import launcher, zygote
zygote.SHARED = ("convonet.no_such_module",)
try:
    launcher._load()
except launcher.CannotStart as error:
    print(error)
"""


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_forked_process_ends_as_an_interpreter_does() -> None:
    said = [line for line in python(ENDS).splitlines() if line]
    assert "no reason" in said
    assert "ValueError: wrong" in said
    for ended in (
        *("returns 0 done", "code 3 ", "words 1 ", "error 1 ", "interrupt 130 "),
        *("handler 0 last", "thread 0 awaited"),
    ):
        assert ended in said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_forked_process_keeps_nothing_that_a_program_would_not_have() -> None:
    environment, terminates, interrupts, blocked, title, code = python(BECOME).splitlines()
    assert environment == "[('A', '1'), ('B', '3')]"
    assert (terminates, interrupts, blocked) == ("True", "True", "set()")
    assert title == "convonet: web"
    assert code == "0"


def test_what_is_shared_holds_no_thread_connection_loop_or_work_of_one_process(
    tmp_path: object,
) -> None:
    made, modules = python(LOADED, CONVONET_VAR=str(tmp_path)).splitlines()
    assert made in ("1 []", "1 [None]")
    loaded = set(modules.split())
    assert {"django.contrib.auth.models", "redis.asyncio", "voice.models"} <= loaded
    apart = {"celery", "kombu", "langchain_core", "mcp", "numpy", "twisted", "uvicorn", "tornado"}
    assert apart.isdisjoint(loaded)


def test_code_that_cannot_be_loaded_is_one_sentence(tmp_path: object) -> None:
    said = python(BROKEN, CONVONET_VAR=str(tmp_path))
    assert said.startswith("Convonet's code cannot be loaded: ModuleNotFoundError: No module named")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("python", "-m", "convonet.front_door"), True),
        (("python", "manage.py", "mcp"), True),
        (("python",), False),
        (("python", "-m"), False),
        (("python", "-c", "1"), False),
        (("valkey-server", "x.py"), False),
    ],
)
def test_only_a_python_module_or_file_is_run_in_a_fork(words: tuple[str, ...], known: bool) -> None:
    assert (zygote.runnable(procfile.Command({}, words)) is not None) is known
