"""The end of a telephone call: after the last mark was heard, and by a goodbye alone."""

from __future__ import annotations

from convonet.far_end import names
from phone.media_stream import TwilioWire
from voice import events
from voice.answering import Announcement
from voice.audio import PHONE
from voice.controls import Played
from voice.conversation import Conversation
from voice.options import CallOptions
from voice.turns import Begin, Finish, HangUp, Run

NOW = 100.0
REPLY_MS = 1030


class Telephone:
    """A conversation on a telephone's wire, whose marks come back when the test says so."""

    def __init__(self) -> None:
        self.talk = Conversation(PHONE, CallOptions())
        self.wire = TwilioWire(names.sid("MZ"))
        self.commands: list[object] = []
        self.marks: list[Played] = []

    def take(self) -> list[object]:
        while new := self.talk.take():
            self.commands += new
            for begin in new:
                if isinstance(begin, Begin):
                    self.talk.begun(begin)
        return self.commands

    @property
    def hung_up(self) -> list[str]:
        return [one.reason for one in self.take() if isinstance(one, HangUp)]

    def say(self, words: str) -> str:
        """An utterance; the id of its turn."""
        self.talk.speech_started(NOW)
        self.talk.speech_ended(bytes(PHONE.bytes_of(600)), 600, NOW)
        heard = [one for one in self.take() if type(one).__name__ == "Recognise"][-1]
        self.talk.handle(events.Transcribed(heard.utterance_id, words), NOW)  # type: ignore[attr-defined]
        return next(one.turn.id for one in self.take()[::-1] if isinstance(one, Run))

    def answer(self, turn: str, text: str, *, end_call: bool) -> None:
        size = PHONE.bytes_of(REPLY_MS)
        self.talk.handle(events.SentenceReady(turn, 0, text), NOW)
        self.talk.handle(events.SentenceAudio(turn, 0, size, final=True), NOW)
        self.talk.handle(events.TurnFinished(turn, text, 1, end_call=end_call), NOW)
        self.send()

    def send(self) -> None:
        """All that may leave, with the marks behind it."""
        while (fetch := self.talk.next_fetch()) is not None:
            turn = self.talk.current
            assert turn is not None
            self.talk.sending(fetch, NOW)
            audio = bytes(fetch.end - fetch.start)
            for message in self.wire.audio(turn.id, turn.number, fetch.at_ms, audio):
                if (mark := self.wire.decode(message)) is not None and isinstance(mark, Played):
                    self.marks.append(mark)

    def reach(self, mark: Played) -> None:
        self.talk.played(mark.turn_id, mark.ms, NOW)


def test_it_hangs_up_after_the_last_mark_of_the_goodbye_and_not_before() -> None:
    telephone = Telephone()
    telephone.answer(telephone.say("goodbye"), "Goodbye!", end_call=True)
    *before, last = telephone.marks
    assert last.ms == REPLY_MS
    for mark in before:
        telephone.reach(mark)
        assert telephone.hung_up == []
    telephone.reach(last)
    assert telephone.hung_up == ["said goodbye"]


def test_whom_a_caller_is_connected_with_is_heard_before_the_stream_ends() -> None:
    """A piece of a tenth of a second before the end is not yet the end."""
    telephone = Telephone()
    turn = telephone.say("connect me with sales")
    telephone.answer(turn, "I connect you with Sales now.", end_call=True)
    telephone.reach(Played(turn, REPLY_MS - 100))
    assert telephone.hung_up == []
    telephone.reach(Played(turn, REPLY_MS))
    assert telephone.hung_up == ["said goodbye"]


def test_an_announced_end_is_heard_out_too() -> None:
    telephone = Telephone()
    end = HangUp(1000, "not identified", "")
    telephone.talk.announce(Announcement("I can only help people whom I know.", then=end), NOW)
    turn = telephone.talk.current
    assert turn is not None
    size = PHONE.bytes_of(REPLY_MS)
    telephone.talk.handle(events.SentenceAudio(turn.id, 0, size, final=True), NOW)
    telephone.send()
    telephone.reach(Played(turn.id, REPLY_MS - 100))
    assert telephone.hung_up == []
    telephone.reach(telephone.marks[-1])
    assert telephone.hung_up == ["not identified"]


def test_a_turn_that_ends_no_call_may_end_a_moment_early_and_the_call_goes_on() -> None:
    telephone = Telephone()
    telephone.answer(telephone.say("thanks"), "You are welcome.", end_call=False)
    for mark in telephone.marks:
        telephone.reach(mark)
    ended = [one for one in telephone.take() if isinstance(one, Finish)]
    assert [(one.outcome, one.heard) for one in ended] == [("done", "You are welcome.")]
    assert telephone.hung_up == []
    assert telephone.say("goodbye")


def test_speech_over_the_goodbye_keeps_the_call_up() -> None:
    telephone = Telephone()
    telephone.answer(telephone.say("goodbye"), "Goodbye!", end_call=True)
    telephone.reach(telephone.marks[0])
    telephone.talk.speech_started(NOW)
    telephone.talk.speech_understood("oh wait")
    for mark in telephone.marks[1:]:
        telephone.reach(mark)
    assert telephone.hung_up == []


def test_a_client_whose_clock_rounds_down_is_not_waited_for() -> None:
    """A browser's last report may be some milliseconds short of what was sent."""
    telephone = Telephone()
    turn = telephone.say("goodbye")
    telephone.answer(turn, "Goodbye!", end_call=True)
    telephone.reach(Played(turn, REPLY_MS - 3))
    assert telephone.hung_up == []
    telephone.talk.tick(NOW + 0.5)
    assert telephone.hung_up == ["said goodbye"]
