"""The product as the driver calls it: by telephone and from the page. Needs Django's settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from convonet.far_end import names
from convonet.far_end.phone_call import Dialog
from convonet.far_end.webhooks import Account, Route, Webhooks
from convonet.load import plan, rows
from convonet.load.beat import Beat
from convonet.load.browser_station import BrowserStation
from convonet.load.caller import Station
from convonet.load.lateness import Late
from convonet.load.phone_station import PhoneStation
from monitor import client
from voice import tickets


class ProductSide:
    def __init__(self, port: int, browser_percent: int) -> None:
        self._port, self._percent = port, browser_percent
        route = Route(plan.PUBLIC_URL, f"http://127.0.0.1:{port}")
        self._webhooks = Webhooks(Account(names.ACCOUNT, names.AUTH_TOKEN), route)
        self._users: dict[str, int] = {}

    def prepare(self, first: int, number: int) -> None:
        numbers = range(first, first + number)
        browsers = [f"bench-{n}" for n in numbers if plan.is_browser(n, self._percent)]
        self._users |= rows.prepare(browsers)

    def station(self, number: int, beat: Beat, late: Late, taken: Late) -> Station:
        name = f"bench-{number}"
        if name in self._users:
            user = self._users[name]
            return BrowserStation(name, lambda: self._browser_url(user), beat, late, taken)
        # A number of its own for each: what is counted by number is not theirs together.
        dialog = _dialog(f"+1500555{1000 + number}", names.CALLED)
        return PhoneStation(self._webhooks, dialog, beat, late, taken)

    def runaway(self, number: int, beat: Beat) -> Station:
        """On a line whose callers are given one tool, which runs away."""
        called = plan.RUNAWAY_LINES[plan.RUNAWAYS[number % len(plan.RUNAWAYS)]]
        dialog = _dialog(f"+1500556{1000 + number}", called)
        return PhoneStation(self._webhooks, dialog, beat, Late(), Late())

    def turns(self, since: str) -> list[dict[str, Any]]:
        return rows.turns(datetime.fromisoformat(since))

    def open_turns(self) -> int:
        return rows.open_turns()

    def calls(self) -> list[dict[str, Any]]:
        return rows.calls()

    def counted(self) -> dict[str, int]:
        """What shall not happen unseen, since the product started."""
        state = client.state()
        return {} if state is None else dict(state.counters)

    def _browser_url(self, user: int) -> str:
        return f"ws://127.0.0.1:{self._port}/ws/call?ticket={tickets.issue(user)}"


def _dialog(caller: str, called: str) -> Dialog:
    base = plan.PUBLIC_URL
    return Dialog(
        voice_url=f"{base}/twilio/voice",
        status_url=f"{base}/twilio/status",
        caller=caller,
        called=called,
    )
