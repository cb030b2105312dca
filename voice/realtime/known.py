"""The turns the model has or had lately: what comes late still finds its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from voice.realtime.exchange import Exchange

# A transcript comes within seconds; by then these many turns may have followed.
MOST = 16


class Known:
    def __init__(self) -> None:
        self._exchanges: OrderedDict[str, Exchange] = OrderedDict()

    def __iter__(self) -> Iterator[Exchange]:
        """The oldest first."""
        return iter(self._exchanges.values())

    def add(self, exchange: Exchange) -> None:
        self._exchanges[exchange.turn.id] = exchange
        if len(self._exchanges) > MOST:
            self._exchanges.popitem(last=False)

    def get(self, turn_id: str) -> Exchange | None:
        return self._exchanges.get(turn_id)

    def holds(self, turn_id: str) -> bool:
        """The model has it, or has answered it: no worker is to be heard about it."""
        exchange = self._exchanges.get(turn_id)
        return exchange is not None and (exchange.over or not exchange.left)

    def find(self, *, item_id: str = "", utterance_id: str = "") -> Exchange | None:
        """By what the model, or a worker, calls the caller's words."""
        for exchange in self:
            if item_id and exchange.item_id == item_id:
                return exchange
            if utterance_id and exchange.turn.utterance_id == utterance_id:
                return exchange
        return None

    def wordless(self) -> list[Exchange]:
        """Those whose transcript has not come."""
        return [one for one in self if one.turn.transcript is None and one.turn.utterance_id]

    def follows(self, exchange: Exchange) -> bool:
        """The caller has said more since, and the model has it."""
        turns = list(self)
        later = turns[turns.index(exchange) + 1 :] if exchange in turns else []
        return any(one.item_id and not (one.over or one.left) for one in later)

    def leave(self) -> list[Exchange]:
        """The model is gone. Answers those it left without an answer."""
        left = [one for one in self if not (one.over or one.left)]
        for exchange in self:
            exchange.left = True
        return left
