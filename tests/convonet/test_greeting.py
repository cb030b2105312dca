from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from convonet import greeting
from convonet.greeting import Addresses

FIRST = Addresses(8000, 5555, "operator", "flower-word", admin_password="admin-word")
SECOND = Addresses(8000, 5555, "operator", "flower-word")


def test_first_run_shows_both_passwords_once() -> None:
    said = greeting.text(FIRST, 6.0)
    assert "admin-word" in said
    assert "flower-word" in said


def test_what_was_chosen_for_the_memory_is_said() -> None:
    said = greeting.text(Addresses(8000, 5555, "o", "x", profile="Profile small, because."), 6.0)
    assert "\n  Profile small, because.\n" in said


def test_later_runs_show_no_password() -> None:
    assert "word" not in greeting.text(SECOND, 6.0).replace("password", "")


def test_addresses_and_what_to_try_are_said() -> None:
    said = greeting.text(SECOND, 6.04)
    for part in (
        "ready (6.0 s)",
        "http://localhost:8000/\n",
        "http://localhost:8000/admin/",
        "http://localhost:5555/",
        "add buy milk for tomorrow at five",
        "var/log",
        "Ctrl-C",
    ):
        assert part in said


class Health(BaseHTTPRequestHandler):
    """Answers 503 with a reason until its server is made well."""

    def do_GET(self) -> None:
        well = self.server.well.is_set()  # type: ignore[attr-defined]
        self.send_response(200 if well else 503)
        self.end_headers()
        reasons = [] if well else ["No agent worker has reported."]
        self.wfile.write(json.dumps({"reasons": reasons}).encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def health() -> Iterator[tuple[int, threading.Event]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    server.well = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, server.well  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def test_greeting_waits_for_health_and_says_why_it_takes_long(
    health: tuple[int, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "PATIENCE_SECONDS", 0.0)
    port, well = health
    said: list[str] = []
    complained = threading.Event()

    def say(sentence: str) -> None:
        said.append(sentence)
        complained.set()

    addresses = Addresses(port, 5555, "operator", "x")
    greeter = threading.Thread(target=greeting.greet, args=(addresses, say, 0.0))
    greeter.start()
    assert complained.wait(10)
    well.set()
    greeter.join(10)
    assert not greeter.is_alive()
    assert "No agent worker has reported." in said[0]
    assert "Convonet is ready" in said[1]
    assert len(said) == 2
