"""The whole product, started by a test through the launcher that `make run` uses."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import redis

from convonet import lifeline, ports
from convonet.far_end import names

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90.0
STOP_SECONDS = 60.0
# Of the tool server, where the agent worker forks it.
TOOLS_TITLE = "convonet: mcp"


class StackFailure(AssertionError):
    """The product did not do in time what a test waits for."""


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll, bounded; raises StackFailure naming `what`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise StackFailure(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def titled(process: psutil.Process) -> str:
    """Its command line, or what it wrote over that."""
    return " ".join(process.cmdline()).strip()


class Stack:
    """A launcher with everything below it, on free ports and in a directory of its own."""

    def __init__(self, var_dir: Path, extra: Mapping[str, str] | None = None) -> None:
        self.var_dir = var_dir
        self.port = ports.any_free()
        self.env = _environment(var_dir, self.port) | dict(extra or {})
        self.output_file = var_dir / "launcher.out"
        self._launcher: subprocess.Popen[bytes] | None = None
        self._session: int | None = None

    def give_telephone(self) -> None:
        """Before it is started: an account of Twilio's, known to `convonet.far_end` alone."""
        self.env |= {
            "TWILIO_ACCOUNT_SID": names.ACCOUNT,
            "TWILIO_AUTH_TOKEN": names.AUTH_TOKEN,
            "PUBLIC_URL": self.url,
        }

    # --- Where it is ---
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def run_state(self) -> dict[str, str]:
        """What the launcher chose, as commands in another terminal see it."""
        state = json.loads((self.var_dir / "run.json").read_text())
        chosen: dict[str, str] = state["environment"]
        return chosen

    @property
    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.run_state["REDIS_URL"])

    @property
    def output(self) -> str:
        """What the launcher has said so far."""
        return self.output_file.read_text() if self.output_file.exists() else ""

    @property
    def launcher_pid(self) -> int:
        assert self._launcher is not None
        return self._launcher.pid

    def wait_said(self, words: str, seconds: float = 60.0) -> None:
        """Until the launcher has said these words."""
        wait_until(lambda: words in self.output, seconds, f"the launcher says {words!r}")

    def logs(self, name: str) -> str:
        path = self.var_dir / "log" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- Its life ---
    def start(self, *, wait: bool = True) -> Stack:
        self.var_dir.mkdir(parents=True, exist_ok=True)
        with self.output_file.open("ab") as output:
            self._launcher = subprocess.Popen(
                [*lifeline.COMMAND, sys.executable, "-m", "convonet.launcher"],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # As a terminal does it: its own group, which a Ctrl-C reaches as a whole.
                start_new_session=True,
            )
        self._session = self._launcher.pid
        if wait:
            self.wait_until_healthy()
        return self

    def wait_until_healthy(self, seconds: float = START_SECONDS) -> None:
        try:
            wait_until(self._is_healthy, seconds, "/healthz is ok")
        except StackFailure as error:
            raise StackFailure(f"{error}; {self.health()}\n{self.output}") from None

    def _is_healthy(self) -> bool:
        if self._launcher is not None and self._launcher.poll() is not None:
            raise StackFailure(f"the launcher ended with {self._launcher.returncode}")
        return self.health().get("status") == "ok"

    def health(self) -> dict[str, Any]:
        """The body of /healthz; empty when the web process does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                body: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            body = json.load(error)
        except (OSError, ValueError):
            return {}
        return body

    def interrupt(self) -> None:
        """Ctrl-C: the signal goes to every process of the terminal's foreground group."""
        os.killpg(self.launcher_pid, signal.SIGINT)

    def wait_ended(self, seconds: float = STOP_SECONDS) -> int:
        assert self._launcher is not None
        return self._launcher.wait(seconds)

    def stop(self) -> None:
        """Stop it as a person would, and insist that nothing is left of it."""
        if self._launcher is None:
            return
        if self._launcher.poll() is None:
            self.interrupt()
            try:
                self.wait_ended()
            except subprocess.TimeoutExpired:
                os.kill(self.launcher_pid, signal.SIGKILL)
                self.wait_ended()
                raise StackFailure(f"Ctrl-C did not stop it\n{self.output}") from None
        self._launcher = None
        wait_until(lambda: not self.processes(), 60, f"nothing is left, but {self.processes()}")

    def processes(self) -> list[psutil.Process]:
        """Every living process that works on this directory, whoever its parent is."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            # A process with a title of its own has written over its environment.
            if self._session is not None and os.getsid(process.pid) == self._session:
                return bool(process.status() != psutil.STATUS_ZOMBIE)
            return bool(process.environ().get("CONVONET_VAR") == str(self.var_dir))
        except (psutil.Error, OSError):
            return False

    # --- Its parts ---
    def pid(self, name: str) -> int:
        """The main process of one line of the Procfile, or of the broker."""
        spawned = re.findall(rf"spawned: '{name}' with pid (\d+)", self.logs("supervisor"))
        if name == "mcp" and not spawned:
            return self._tools_pid()
        if not spawned:
            raise StackFailure(f"{name} has not been started")
        return int(spawned[-1])

    def _tools_pid(self) -> int:
        """The tool server, which the agent worker forks again within a moment of its end."""
        found: list[int] = []

        def runs() -> bool:
            with suppress(psutil.Error):
                below = psutil.Process(self.pid("agent")).children()
                found[:] = [one.pid for one in below if titled(one) == TOOLS_TITLE]
            return bool(found)

        wait_until(runs, 60, "the tool server runs")
        return found[0]

    def kill(self, name: str, sent: int = signal.SIGKILL) -> int:
        """Send a signal to one process and return its pid."""
        pid = self.pid(name)
        os.kill(pid, sent)
        return pid

    def wait_restarted(self, name: str, old_pid: int, seconds: float = 60.0) -> None:
        """Until the supervisor has started another; /healthz may still know the old one's state."""
        wait_until(lambda: self.pid(name) != old_pid, seconds, f"{name} is started again")

    # --- Its people and its data ---
    def manage(self, *arguments: str, seconds: float = 60.0) -> str:
        """Run one management command beside it and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise StackFailure(f"manage.py {arguments[0]}: {done.stderr or done.stdout}")
        return done.stdout

    def ask(self, code: str) -> Any:
        """Run Python with Django set up beside it; the value of its `answer`, by way of JSON."""
        closing = "\nimport json\nprint('\\n' + json.dumps(answer, default=str))"
        said = self.manage("shell", "--no-imports", "-c", code + closing)
        return json.loads(said.strip().splitlines()[-1])

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read its SQLite database directly."""
        connection = sqlite3.connect(f"file:{self.var_dir / 'convonet.sqlite3'}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def make_user(self, name: str, *, staff: bool = False) -> tuple[str, str]:
        """Make a user, or give an existing one a new password: (name, password)."""
        password = f"{name}-{os.urandom(6).hex()}"
        self.ask(
            "from django.contrib.auth import get_user_model\n"
            f"user, made = get_user_model().objects.get_or_create(username={name!r})\n"
            f"user.set_password({password!r})\n"
            f"user.is_staff = user.is_superuser = {staff}\n"
            "user.save()\nanswer = user.pk"
        )
        return name, password

    def session_cookie(self, name: str) -> str:
        """The value of a `sessionid` cookie with which `name` is logged in."""
        value = self.ask(
            "from importlib import import_module\n"
            "from django.conf import settings\n"
            "from django.contrib import auth\n"
            f"user = auth.get_user_model().objects.get(username={name!r})\n"
            "session = import_module(settings.SESSION_ENGINE).SessionStore()\n"
            "session[auth.SESSION_KEY] = str(user.pk)\n"
            "session[auth.BACKEND_SESSION_KEY] = 'django.contrib.auth.backends.ModelBackend'\n"
            "session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()\n"
            "session.create()\nanswer = session.session_key"
        )
        return str(value)


def _environment(var_dir: Path, port: int) -> dict[str, str]:
    """This shell's, less what the test run set for itself."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DJANGO_SETTINGS_MODULE", "REDIS_URL", "DATABASE_URL", "SECRET_KEY")
        and not name.startswith("PYTEST")
    }
    return kept | {
        "CONVONET_VAR": str(var_dir),
        # The same processes whenever a test looks.
        "SHRINK_WHEN_IDLE": "0",
        "PORT": str(port),
        # Not the defaults, so that a `make run` that starts meanwhile finds its own free.
        "MCP_PORT": str(ports.any_free()),
        "FLOWER_PORT": str(ports.any_free()),
        "BROKER_PORT": str(ports.any_free()),
    }
