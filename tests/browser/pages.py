"""The real Django pages in a process of their own, with people who can sign in."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery"
PEOPLE = ("anna", "ben", "demo")
START_SECONDS = 40.0
_MAKE_PEOPLE = f"""
from django.contrib.auth.models import User
for name in {PEOPLE!r}:
    User.objects.create_user(name, password={PASSWORD!r})
User.objects.create_superuser("olga", password={PASSWORD!r})
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served_pages(var: Path, *, embedded: bool = False) -> Iterator[str]:
    """Serves pages (no sockets, no workers) from the empty folder `var`; yields their URL.

    `embedded` makes the first visitor the demo user, as on a machine of one's own.
    """
    port = free_port()
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "convonet.settings",
        "DATABASE_URL": f"sqlite:///{var / 'pages.sqlite3'}",
        "CONVONET_VAR": str(var),
        "CONVONET_EMBEDDED_LOGIN": str(int(embedded)),
        "PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    if not embedded:
        env |= _telephone(port)
    _manage(env, "migrate", "-v", "0")
    _manage(env, "shell", "-v", "0", "-c", _MAKE_PEOPLE)
    with (var / "pages.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_served(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(10)


def _telephone(port: int) -> dict[str, str]:
    """With one its settings are on the page; nobody calls it."""
    return {
        "TWILIO_ACCOUNT_SID": f"AC{0:032}",
        "TWILIO_AUTH_TOKEN": "nobody-knows-it",
        "TWILIO_NUMBER": "+15550001111",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }


def _manage(env: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True)


def _wait_until_served(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/login/", timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the pages did not start; see pages.log") from error
            time.sleep(0.1)
