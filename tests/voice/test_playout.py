"""Which reply audio leaves when, and what was heard of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice.audio import BROWSER
from voice.options import PlayoutOptions
from voice.playout import ReplyPlayout

OPTIONS = PlayoutOptions()
SECOND = BROWSER.bytes_per_second


def playout() -> ReplyPlayout:
    return ReplyPlayout(BROWSER, OPTIONS)


def drain(reply: ReplyPlayout) -> list[tuple[int, int, int]]:
    out = []
    while (fetch := reply.next_fetch()) is not None:
        out.append((fetch.seq, fetch.start, fetch.end))
        reply.sent(fetch)
    return out


def test_nothing_leaves_before_there_is_audio() -> None:
    reply = playout()
    reply.sentence_ready(0, "Hello.")
    assert reply.next_fetch() is None


def test_at_most_two_seconds_are_ahead_of_the_ear() -> None:
    reply = playout()
    reply.audio_ready(0, 60 * SECOND, final=True)
    drain(reply)
    assert reply.sent_ms == OPTIONS.ahead_ms
    reply.acknowledge(500)
    drain(reply)
    assert reply.sent_ms == OPTIONS.ahead_ms + 500


def test_sentences_leave_in_order_whatever_order_they_are_made_in() -> None:
    reply = playout()
    reply.audio_ready(1, SECOND // 10, final=True)
    assert reply.next_fetch() is None
    reply.audio_ready(0, SECOND // 10, final=True)
    assert [seq for seq, _, _ in drain(reply)] == [0, 1]


def test_a_reply_ten_times_faster_than_real_time_loses_nothing() -> None:
    reply = playout()
    reply.audio_ready(0, 60 * SECOND, final=True)
    reply.finished(1)
    sent = []
    while not reply.all_heard:
        sent += drain(reply)
        reply.acknowledge(reply.heard_ms + 100)
    assert [start for _, start, _ in sent[1:]] == [end for _, _, end in sent[:-1]]
    assert sent[-1][2] == 60 * SECOND


def test_an_acknowledgement_of_unsent_audio_is_cut() -> None:
    reply = playout()
    reply.audio_ready(0, SECOND, final=True)
    drain(reply)
    reply.acknowledge(99_000)
    assert reply.heard_ms == 1000


def test_only_the_heard_words_are_kept() -> None:
    reply = playout()
    reply.sentence_ready(0, "First things first.")
    reply.sentence_ready(1, "one two three four")
    reply.audio_ready(0, SECOND, final=True)
    reply.audio_ready(1, SECOND, final=True)
    drain(reply)
    reply.acknowledge(1500)
    assert reply.heard_text() == "First things first. one two"
    reply.acknowledge(2000)
    assert reply.heard_text() == "First things first. one two three four"


def test_a_sentence_whose_audio_is_gone_does_not_stop_the_reply() -> None:
    reply = playout()
    reply.audio_ready(0, SECOND, final=True)
    reply.audio_ready(1, SECOND // 10, final=True)
    reply.finished(2)
    fetch = reply.next_fetch()
    assert fetch is not None
    reply.lost(fetch)
    assert [seq for seq, _, _ in drain(reply)] == [1]
    assert reply.all_sent


def test_a_filler_comes_before_the_reply_and_is_no_part_of_what_was_heard() -> None:
    reply = playout()
    reply.fill(bytes(SECOND // 2))
    reply.sentence_ready(0, "one two")
    reply.audio_ready(0, SECOND, final=True)
    assert {seq for seq, _, _ in drain(reply)} == {-1, 0}
    reply.acknowledge(1000)
    assert reply.heard_text() == "one"


def test_a_filler_that_comes_after_the_reply_began_is_dropped() -> None:
    reply = playout()
    reply.audio_ready(0, SECOND, final=True)
    drain(reply)
    reply.fill(bytes(SECOND))
    reply.acknowledge(1000)
    assert reply.next_fetch() is None


def test_a_millisecond_lost_to_rounding_keeps_nothing_waiting() -> None:
    reply = playout()
    for _ in range(2):
        reply.fill(bytes(31_990))
        while (fetch := reply.next_fetch()) is not None:
            reply.sent(fetch)
            reply.acknowledge(fetch.at_ms + BROWSER.ms_of(len(fetch.filler)))
    assert reply.heard_ms < reply.sent_ms
    assert not reply.waiting_to_be_heard


def test_an_empty_reply_is_heard_at_once() -> None:
    reply = playout()
    reply.finished(0)
    assert reply.all_heard


@given(
    st.lists(st.integers(0, 4000), min_size=1, max_size=6),
    st.lists(st.integers(0, 3000), max_size=40),
)
def test_sent_never_runs_further_ahead_than_allowed(sizes: list[int], acks: list[int]) -> None:
    reply = playout()
    for seq, samples in enumerate(sizes):
        reply.audio_ready(seq, samples * 20, final=True)
    reply.finished(len(sizes))
    for ack in acks:
        drain(reply)
        assert reply.sent_ms - reply.heard_ms <= OPTIONS.ahead_ms
        reply.acknowledge(ack)
