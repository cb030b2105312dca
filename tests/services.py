"""Single services for tests: a broker, a PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from convonet import broker, ports
from tests.stack import wait_until


@contextmanager
def running_broker(directory: Path) -> Iterator[str]:
    """A real broker on a free port; yields its URL."""
    port = ports.any_free()
    config = broker.configure(directory, port, "test", megabytes=64)
    with (directory / "broker.log").open("wb") as log:
        server = subprocess.Popen([broker.program(), str(config)], stdout=log, stderr=log)
    url = broker.url(port, "test")
    try:
        wait_until(lambda: answers(url), 60, "the broker answers")
        yield url
    finally:
        server.terminate()
        server.wait(10)


def answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def postgres_programs() -> Path | None:
    """The directory with `postgres` and `initdb`, the newest if there are several."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    on_path = shutil.which("initdb")
    found = [*packaged, *([Path(on_path).parent] if on_path else [])]
    return found[-1] if found else None


@contextmanager
def running_postgres(programs: Path) -> Iterator[str]:
    """A real PostgreSQL on a free port with an empty database; yields its DATABASE_URL."""
    # PostgreSQL refuses to run as root, and others may not read below pytest's own directory.
    user = "nobody" if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="convonet-postgres-"))
    try:
        if user:
            os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
        data = directory / "data"
        command = [str(programs / "initdb"), "-D", str(data), "-U", "convonet", "-A", "trust"]
        subprocess.run(
            [*command, "-E", "UTF8"], check=True, user=user, cwd=directory, capture_output=True
        )
        with _served(programs, data, user) as url:
            yield url
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _served(programs: Path, data: Path, user: str | None) -> Iterator[str]:
    port = ports.any_free()
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-c", "fsync=off"]
    with (data / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            user=user,
            cwd=data,
            stdout=log,
            stderr=log,
        )
    base = f"postgres://convonet@127.0.0.1:{port}"
    try:
        wait_until(lambda: _connects(f"{base}/postgres"), 60, "PostgreSQL answers")
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE product")
        yield f"{base}/product"
    finally:
        # Fast shutdown: the usual one waits for every client to leave.
        server.send_signal(signal.SIGINT)
        server.wait(20)


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
