"""The server's side of docs/protocol.md, played by the test within the browser.

The pages, tickets and sign-in are Django's own; the sockets and the list are played, so that a test
says exactly which message comes when, and what may be chosen where a test says so.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from playwright.sync_api import Page, Route, WebSocketRoute

from tests.browser.chromium import tone_pcm16

Message = dict[str, Any]
CHUNK_MS = 100


def todo(number: int, title: str, **facts: Any) -> Message:
    return {
        "id": 100 + number,
        "number": number,
        "list": "todo",
        "title": title,
        "notes": "",
        "due": None,
        "due_has_time": False,
        "due_text": "",
        "overdue": False,
        "priority": "normal",
        "tags": [],
        "assignee": "",
        "repeat_text": "",
        "done": False,
    } | facts


class FarSide:
    """One page's server: what it received (`received`, `audio`), and ways to answer."""

    def __init__(self, page: Page, *, answers_calls: bool = True, has_page: bool = True) -> None:
        self.page = page
        self.answers_calls = answers_calls
        self.has_page = has_page
        self.rate_hz = 16_000
        self.lists: list[Message] = [{"id": 1, "name": "todo", "default": True}]
        self.todos: list[Message] = []
        self.reminders: list[Message] = []
        self.received: list[Message] = []
        self.page_received: list[Message] = []
        # Of the server itself as long as it is None.
        self.preferences: Message | None = None
        # The answers to requests for a voice's sample, one after the other.
        self.samples: list[Message] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.audio: list[bytes] = []
        self.calls: list[WebSocketRoute] = []
        self.pages: list[WebSocketRoute] = []
        self.waits: list[WebSocketRoute] = []
        # Close codes of those that the page has closed.
        self.left: list[int | None] = []
        self.busy = False
        page.route("**/todos/**", self._answer_todos)
        page.route("**/changes/**", self._answer_todos)
        page.route("**/preferences/**", self._answer_preferences)
        page.route_web_socket("**/ws/call*", self._call_opened)
        page.route_web_socket("**/ws/page", self._page_opened)
        page.route_web_socket("**/ws/wait", self._wait_opened)

    # --- requests ---------------------------------------------------------------------------
    def _answer_todos(self, route: Route) -> None:
        request = route.request
        path = request.url.split("/", 3)[3]
        self.requests.append((request.method, f"/{path}", request.post_data_json))
        if request.method == "GET":
            everything = {"lists": self.lists, "todos": self.todos, "reminders": self.reminders}
            route.fulfill(json=everything)
        else:
            status, answer = self._change(request.method, path, request.post_data_json)
            route.fulfill(status=status, json=answer)

    def _change(self, method: str, path: str, body: Any) -> tuple[int, Message]:
        if method == "POST" and path == "todos/":
            self.todos.append(todo(len(self.todos) + 1, body["text"]))
            return 201, self.todos[-1]
        if method == "POST":
            return 200, {"summary": "undone"}
        wanted = int(path.split("/")[1])
        row = next(row for row in self.todos if row["id"] == wanted)
        if method == "DELETE":
            self.todos.remove(row)
            return 200, {"change": 7}
        if body.get("due") == "the day of never":
            return 400, {"error": "I do not know the day “the day of never”."}
        row.update(body)
        return 200, row

    def _answer_preferences(self, route: Route) -> None:
        request = route.request
        self.requests.append((request.method, "/preferences/", request.post_data_json))
        if request.url.endswith("/sample/"):
            route.fulfill(**self.samples.pop(0))
        elif self.preferences is None:
            route.continue_()
        else:
            self.preferences |= request.post_data_json or {}
            route.fulfill(json=self.preferences)

    # --- sockets ----------------------------------------------------------------------------
    def _page_opened(self, socket: WebSocketRoute) -> None:
        if not self.has_page:
            socket.close(code=1011)
            return
        self.pages.append(socket)
        socket.on_message(lambda data: self.page_received.append(json.loads(data)))

    def _call_opened(self, socket: WebSocketRoute) -> None:
        self.calls.append(socket)
        socket.on_message(self._receive)

    def _wait_opened(self, socket: WebSocketRoute) -> None:
        self.waits.append(socket)
        socket.on_close(lambda code, _reason: self.left.append(code))

    def _receive(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self.audio.append(data)
            return
        message = json.loads(data)
        self.received.append(message)
        if message["type"] == "start" and self.busy:
            self.refuse()
        elif message["type"] == "start" and self.answers_calls:
            self.send("ready", call="c1", audio=f"pcm16/{self.rate_hz}")
            self.send("state", state="listening")

    # --- what the server says ---------------------------------------------------------------
    def send(self, kind: str, **fields: Any) -> None:
        self.calls[-1].send(json.dumps({"type": kind, **fields}))

    def send_page(self, kind: str, **fields: Any) -> None:
        self.pages[-1].send(json.dumps({"type": kind, **fields}))

    def send_line(self, kind: str, **fields: Any) -> None:
        """To who waits for a free line."""
        self.waits[-1].send(json.dumps({"type": kind, **fields}))

    def end_wait(self, reason: str, text: str = "", code: int = 1000) -> None:
        if text:
            self.send_line("bye", reason=reason, text=text)
        self.waits[-1].close(code=code, reason=reason)

    def refuse(self) -> None:
        """All lines are busy."""
        self.send("bye", reason="busy", text="All lines are busy. Please try again in a minute.")
        self.calls[-1].close(code=4503, reason="busy")

    def send_audio(self, number: int, *, from_ms: int, ms: int, hertz: float = 440.0) -> None:
        """Reply audio in messages of 100 ms, all at once."""
        pcm = tone_pcm16(hertz=hertz, seconds=ms / 1000, rate_hz=self.rate_hz)
        bytes_per_ms = self.rate_hz * 2 // 1000
        size = CHUNK_MS * bytes_per_ms
        for at in range(0, len(pcm), size):
            header = struct.pack("<II", number, from_ms + at // bytes_per_ms)
            self.calls[-1].send(header + pcm[at : at + size])

    def hang_up(self, code: int, text: str = "") -> None:
        if text:
            self.send("bye", reason="ended", text=text)
        self.calls[-1].close(code=code)

    def of_type(self, kind: str) -> list[Message]:
        return [message for message in self.received if message["type"] == kind]
