"""The prices of a message: every layer has one, and each server is asked with the load it says."""

from __future__ import annotations

import pytest

from convonet.load.hot_path import layers, servers


def test_every_layer_has_a_price_and_all_of_them_cost_more_than_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "MESSAGES", 200)
    monkeypatch.setattr(layers, "ROUNDS", 1)
    prices = layers.measure()
    assert min(prices.values()) > 0
    assert prices["from bytes to gate, in all"] > prices["ration"]


async def test_the_measured_call_is_heard_to_its_words() -> None:
    clock = layers.Clock()
    reader, _ = layers.reader(clock)
    begun = 0
    for number, audio in enumerate(layers.sound()[:500]):
        clock.step()
        reader.take(layers.message(number, audio))
        begun += reader._listener.in_speech
    assert begun > 50
    assert reader.audio.received_ms == 500 * layers.FRAME_MS


@pytest.mark.service
@pytest.mark.parametrize(("server", "kind"), [("daphne", "plain"), ("uvicorn", "ours")])
def test_a_server_is_asked_with_the_load_it_says(server: str, kind: str) -> None:
    cost = servers.measure(server, kind, "/gate", calls=2, seconds=0.2)
    assert cost.sent == 20
    assert cost.microseconds >= 0
