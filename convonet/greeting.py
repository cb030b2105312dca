"""What `make run` says once the product can be used, and while it cannot."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

# Longer than a first start takes on a slow machine; then the reasons are worth reading.
PATIENCE_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Addresses:
    port: int
    flower_port: int
    flower_user: str
    flower_password: str
    profile: str = ""
    """What was chosen for how much memory, in a sentence."""
    logs: str = "var/log"
    admin_password: str = ""
    """Set on the first run only: it is kept nowhere in clear."""


def text(addresses: Addresses, took_seconds: float) -> str:
    page = f"http://localhost:{addresses.port}"
    lines = [
        "",
        f"Convonet is ready ({took_seconds:.1f} s).",
        f"  Talk     {page}/",
        f"  Admin    {page}/admin/",
        f"  Flower   http://localhost:{addresses.flower_port}/",
    ]
    if addresses.profile:
        lines += ["", f"  {addresses.profile}"]
    if addresses.admin_password:
        lines += [
            "",
            f"  The admin's login is admin with the password {addresses.admin_password}",
            f"  Flower's is {addresses.flower_user} with {addresses.flower_password}",
            "  They are shown only this once. Another one for the admin:",
            "    .venv/bin/python manage.py changepassword admin",
            "  Flower's again:",
            "    .venv/bin/python manage.py flower_login",
        ]
    lines += [
        "",
        '  Try: press the round button and say "add buy milk for tomorrow at five".',
        f"  Logs are in {addresses.logs}. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def greet(addresses: Addresses, say: Callable[[str], None], began: float) -> None:
    """Ask /healthz until it is well, then say where everything is; `began` is monotonic."""
    complained = False
    while (reasons := _reasons(addresses)) is not None:
        waited = time.monotonic() - began
        if waited > PATIENCE_SECONDS and not complained:
            complained = True
            say(f"Not ready after {waited:.0f} s, still trying. {reasons}")
        time.sleep(0.2)
    say(text(addresses, time.monotonic() - began))


def _reasons(addresses: Addresses) -> str | None:
    """None when the product is well, else why it is not."""
    connection = http.client.HTTPConnection("127.0.0.1", addresses.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return f"The web server does not answer; see {addresses.logs}/web.log."
    finally:
        connection.close()
    if response.status == http.HTTPStatus.OK:
        return None
    try:
        return " ".join(json.loads(body)["reasons"])
    except (ValueError, KeyError):
        return f"/healthz answered {response.status}; see {addresses.logs}/web.log."
