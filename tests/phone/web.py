"""The web process alone, with a broker of its own: the workers are the test's (`workers`)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from convonet.far_end import names
from convonet.far_end.webhooks import Account
from tests.services import running_broker
from tests.stack import ROOT, Stack, wait_until

START_SECONDS = 60


class Web:
    """A served product without workers, the tool server and the rest."""

    def __init__(self, var_dir: Path, broker: str) -> None:
        self.var_dir, self.broker = var_dir, broker
        found = Stack(var_dir)
        self.url = found.url
        self.account = Account()
        self.env = found.env | {
            "REDIS_URL": broker,
            "TWILIO_ACCOUNT_SID": names.ACCOUNT,
            "TWILIO_AUTH_TOKEN": names.AUTH_TOKEN,
            "PUBLIC_URL": self.url,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self._health = found.health
        self._log_file = var_dir / "web.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def voice_url(self) -> str:
        return f"{self.url}/twilio/voice"

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    @property
    def calls(self) -> int:
        """Calls in progress, as /healthz counts them; -1 when it does not answer."""
        return int(self._health().get("calls", -1))

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    @property
    def megabytes(self) -> float:
        """Memory that is the web process's alone."""
        return float(self.process.memory_full_info().uss / 1e6)

    def start(self) -> None:
        self.var_dir.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "-v", "0")
        command = _web_command().replace("${BIND:-127.0.0.1}", "127.0.0.1")
        command = command.replace("${PORT:-8000}", self.env["PORT"])
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command.split(), cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
        wait_until(self._answers, START_SECONDS, "the web process answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(30)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the web process ended: {self.log}"
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.env, check=True, timeout=120)

    # Rows -----------------------------------------------------------------------------------
    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as connection:
            return connection.execute(sql, values).fetchall()

    def change(self, sql: str, *values: Any) -> None:
        with closing(self._connect()) as connection, connection:
            connection.execute(sql, values)

    def end_of(self, sid: str) -> tuple[str | None, str]:
        """(when, why) a call's row was closed."""
        ((ended_at, reason),) = self.rows(
            "select c.ended_at, c.end_reason from voice_call c"
            " join phone_phonecall p on p.call_id = c.id where p.sid = ?",
            sid,
        )
        return ended_at, reason

    async def call_of(self, turn_id: str) -> str:
        """The id of the call that a turn belongs to."""
        asked = "select call_id from voice_turn where id = ?"
        ((call_id,),) = await asyncio.to_thread(self.rows, asked, uuid.UUID(turn_id).hex)
        return str(uuid.UUID(call_id))

    async def speaking(self, turn_id: str, reply: str) -> None:
        """As the agent worker writes it once a reply's text is complete."""
        write = "update voice_turn set state = 'speaking', reply = ? where id = ?"
        await asyncio.to_thread(self.change, write, reply, uuid.UUID(turn_id).hex)

    def identify(self, sid: str) -> None:
        """The caller is known from now on, without a PIN: of the next stream on."""
        self.change(
            "update voice_call set identified = 1 where id ="
            " (select call_id from phone_phonecall where sid = ?)",
            sid,
        )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.var_dir / "convonet.sqlite3", timeout=30)


def _web_command() -> str:
    """The Procfile's, so that what is tested is what is run."""
    (line,) = [
        line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web:")
    ]
    return line.removeprefix("web: exec ")


@contextmanager
def running_web(directory: Path) -> Iterator[Web]:
    broker_dir = directory / "broker"
    broker_dir.mkdir(parents=True)
    with running_broker(broker_dir) as broker:
        web = Web(directory / "var", broker)
        try:
            web.start()
            yield web
        finally:
            web.stop()
