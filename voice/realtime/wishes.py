"""The tools a model wishes to use in a turn: run once each, in order, and not on guessed words."""

from __future__ import annotations

from collections.abc import Iterator

from voice import events
from voice.realtime import deeds, protocol, said
from voice.realtime.exchange import Exchange
from voice.realtime.requests import FunctionOutput
from voice.turns import Extra


def called(exchange: Exchange, call: protocol.FunctionCall) -> bool:
    """Note it; False for one that is known already, or was broken off."""
    if exchange.add_call(call) is None:
        return False
    exchange.asks_again = True
    return True


def due(exchange: Exchange, now: float, words_seconds: float) -> Iterator[Extra]:
    """Not before the words are known they are for: what was not understood does nothing.

    A transcript that does not come within `words_seconds` is no longer waited for.
    """
    waited = now - exchange.asked_at >= words_seconds
    if exchange.unclear or not (exchange.words_known or waited):
        return
    held = exchange.next_call
    if held is not None:
        held.begun = True
        call = held.call
        yield Extra(
            deeds.RunTool(exchange.turn.id, call.call_id, held.ordinal, call.name, call.arguments)
        )


def answered(exchange: Exchange, event: events.ToolAnswered, now: float) -> FunctionOutput | None:
    """What the model is told; None for an answer it has."""
    call = exchange.calls.get(event.tool_call_id)
    if call is None or call.answered:
        return None
    call.answered = True
    exchange.end_call = exchange.end_call or event.end_call
    exchange.turn.progress_at = now
    return FunctionOutput(call.id, event.text)


def settled(exchange: Exchange, output: str) -> Iterator[FunctionOutput]:
    """No answer of theirs is waited for any more; the model is told `output` instead."""
    for call in exchange.open_calls():
        begun, call.begun, call.answered = call.begun, True, True
        told = output if begun or output != said.NOT_KNOWN else said.NOT_BEGUN
        yield FunctionOutput(call.id, told)
