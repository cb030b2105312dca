"""Turns the caller was told not to wait for: what still comes of them is shown.

It is spoken only where there is no screen.
"""

from __future__ import annotations

from collections import OrderedDict

from voice import events, notices
from voice.telling import Telling

# A caller has given up on no more than a few; the oldest is forgotten, its row is not.
MOST = 8


class LateAnswers:
    def __init__(self, out: Telling) -> None:
        self._out = out
        self._turns: OrderedDict[str, None] = OrderedDict()

    def expect(self, turn_id: str) -> None:
        self._turns[turn_id] = None
        if len(self._turns) > MOST:
            self._turns.popitem(last=False)

    def handle(self, event: events.Event) -> bool:
        """True for an event of such a turn: nobody else has a use for it."""
        turn_id = getattr(event, "turn_id", "")
        if turn_id not in self._turns:
            return False
        match event:
            case events.ToolFinished():
                self._out.tool_finished(event)
            case events.TurnFinished(reply=reply):
                self._out.notice(notices.late_answer(reply), "info", aloud=True)
                del self._turns[turn_id]
            case events.TurnFailed(message=message):
                self._out.notice(message, "warning", aloud=True)
                del self._turns[turn_id]
        return True
