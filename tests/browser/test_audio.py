"""The audio worklets' arithmetic, run in the browser that will run it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

# Converts one second of a tone in blocks of 128, as a worklet does; answers its loudness (RMS,
# where 1 is that of the tone itself) past the filter's start, and the number of samples.
RESAMPLE = """async ([fromHz, toHz, hertz]) => {
  const { Resampler } = await import("/static/voice/js/worklets/resampler.js");
  const resampler = new Resampler(fromHz, toHz);
  const out = [];
  for (let at = 0; at < fromHz; at += 128) {
    const block = new Float32Array(128);
    for (let i = 0; i < 128; i++) block[i] = Math.sin(2 * Math.PI * hertz * (at + i) / fromHz);
    out.push(...resampler.process(block));
  }
  const settled = out.slice(200, -200);
  const power = settled.reduce((sum, x) => sum + x * x, 0) / settled.length;
  return { rms: Math.sqrt(2 * power), samples: out.length };
}"""

QUEUE = """async () => {
  const { PlayoutQueue } = await import("/static/voice/js/worklets/playout-queue.js");
  const queue = new PlayoutQueue(16000);
  const pull = (n) => { const out = new Float32Array(n); return [queue.pull(out), ...out]; };
  const ones = (n) => new Float32Array(n).fill(1);
  %s
}"""


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()[0]


@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(48_000, 16_000), (44_100, 16_000), (16_000, 48_000), (44_100, 24_000), (24_000, 48_000)],
)
@pytest.mark.parametrize("hertz", [200, 3_000, 6_500])
def test_speech_passes_the_resampler_unchanged(
    page: Page, from_hz: int, to_hz: int, hertz: int
) -> None:
    told = page.evaluate(RESAMPLE, [from_hz, to_hz, hertz])
    assert told["rms"] == pytest.approx(1, abs=0.01)
    assert abs(told["samples"] - to_hz) < 100


@pytest.mark.parametrize("hertz", [9_000, 12_000, 20_000])
def test_what_sixteen_kilohertz_cannot_carry_is_removed_not_folded_back(
    page: Page, hertz: int
) -> None:
    told = page.evaluate(RESAMPLE, [48_000, 16_000, hertz])
    assert 20 * math.log10(max(told["rms"], 1e-9)) < -60


def in_queue(page: Page, script: str) -> Any:
    return page.evaluate(QUEUE % script)


def test_the_position_is_counted_at_the_calls_own_rate(page: Page) -> None:
    script = """
      const fast = new PlayoutQueue(24000);
      fast.push(1, 100, new Float32Array(240)); fast.pull(new Float32Array(120));
      return fast.ms;
    """
    assert in_queue(page, script) == 105


def test_the_position_heard_is_exact_across_chunks_and_sentences(page: Page) -> None:
    script = """
      queue.push(3, 0, ones(160)); queue.push(3, 500, ones(160));
      pull(80); const first = [queue.turn, queue.ms];
      pull(160); return [...first, queue.ms, queue.waiting];
    """
    assert in_queue(page, script) == [3, 5, 505, 80]


def test_clearing_fades_out_within_five_milliseconds_and_then_is_silent(page: Page) -> None:
    script = """
      queue.push(1, 0, ones(3200)); pull(160); queue.clear(1);
      const [filled, ...rest] = pull(320);
      return [filled, rest[0] < 1 && rest[40] < 0.6 && rest[79] === 0, queue.ms];
    """
    assert in_queue(page, script) == [80, True, 15]


def test_audio_of_a_cleared_turn_that_arrives_late_is_dropped_and_counted(page: Page) -> None:
    script = """
      queue.clear(1); queue.push(1, 0, ones(100)); queue.push(2, 0, ones(10));
      return [pull(50)[0], queue.late, queue.turn];
    """
    assert in_queue(page, script) == [10, 100, 2]


def test_more_audio_than_the_bound_is_dropped_and_counted(page: Page) -> None:
    script = """
      for (let second = 0; second < 20; second++) queue.push(1, second * 1000, ones(16000));
      return [queue.waiting, queue.dropped];
    """
    assert in_queue(page, script) == [15 * 16_000, 5 * 16_000]
