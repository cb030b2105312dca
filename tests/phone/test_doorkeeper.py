"""The doorkeeper: how a caller becomes known, or goes on as a guest, or is turned away."""

from __future__ import annotations

from typing import Any

import pytest

from phone import door_words
from phone.door_actions import Action, BeQuiet, Caller, Emergency, Say, TakeWords, TryPin
from phone.doorkeeper import MOST_ENTRIES, SILENCE_SECONDS, Doorkeeper

HELLO = "Hello, this is Acme."
OFFER = "Without it I can connect you with somebody. What can I do for you?"


class Door:
    """A doorkeeper with a clock."""

    def __init__(self, **facts: Any) -> None:
        known: dict[str, Any] = {"has_pin": True, "guests_may": "connect you with somebody"}
        self.now = 100.0
        self.keeper = Doorkeeper(Caller(greeting=HELLO, **(known | facts)))
        self.keeper.begin(self.now)
        self.first = self.keeper.take()

    def keys(self, digits: str) -> list[Action]:
        for digit in digits:
            self.now += 0.3
            self.keeper.key(digit, self.now)
        return self.keeper.take()

    def says(self, text: str) -> tuple[bool, list[Action]]:
        self.now += 1
        return self.keeper.words(text, self.now), self.keeper.take()

    def after(self, seconds: float) -> list[Action]:
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            self.keeper.tick(self.now)
        return self.keeper.take()

    def wrong(self) -> list[Action]:
        self.keeper.was_wrong(self.now)
        return self.keeper.take()


def test_who_calls_from_a_known_number_is_greeted_and_asked_for_the_pin() -> None:
    door = Door()
    question = f"{door_words.ASK} {door_words.OR_GUEST}"
    assert door.first == [TakeWords(True), Say(f"{HELLO} {question}")]
    assert door.keeper.private


def test_guests_are_not_offered_where_they_can_have_nothing() -> None:
    assert Door(guests_may=None).first == [TakeWords(True), Say(f"{HELLO} {door_words.ASK}")]


def test_a_pin_is_keyed_and_ended_by_the_hash_key() -> None:
    door = Door()
    assert door.keys("4711#") == [BeQuiet(), BeQuiet(), TryPin("4711")]
    assert door.keeper.private


def test_a_pin_is_keyed_and_ended_by_a_pause() -> None:
    door = Door()
    door.keys("471")
    assert door.after(1.5) == []
    assert door.keys("1") == []
    assert door.after(1.5) == []
    assert door.after(0.5) == [BeQuiet(), TryPin("4711")]


def test_a_hash_that_comes_after_the_pause_is_no_emergency() -> None:
    door = Door(emergency_key=True)
    door.keys("4711")
    assert door.after(2) == [BeQuiet(), TryPin("4711")]
    assert door.keys("#") == []
    assert door.keys("#") == [BeQuiet(), Emergency()]


def test_the_star_key_starts_over() -> None:
    door = Door()
    assert door.keys("12*4711#")[-1] == TryPin("4711")


@pytest.mark.parametrize("digits", ["1", "123", "1234567"])
def test_digits_that_are_no_pin_are_no_wrong_try(digits: str) -> None:
    door = Door()
    assert not any(isinstance(action, TryPin) for action in door.keys(f"{digits}#"))
    assert door.keeper.private


def test_a_pin_is_said() -> None:
    door = Door()
    assert door.says("My pin is one two three four.") == (True, [BeQuiet(), TryPin("1234")])


def test_a_pin_is_said_in_two_breaths() -> None:
    door = Door()
    assert door.says("four seven") == (True, [])
    door.after(3)
    assert door.says("eleven") == (True, [BeQuiet(), TryPin("4711")])


def test_a_pin_that_was_not_understood_is_asked_for_again_and_no_turn() -> None:
    door = Door()
    assert door.says("one two three four five six seven") == (True, [Say(door_words.NOT_A_PIN)])
    assert door.says("one two three") == (True, [])
    assert door.after(6) == [Say(door_words.NOT_A_PIN)]
    assert door.says("one two three floor") == (True, [Say(door_words.NOT_A_PIN)])


def test_the_right_pin_is_welcomed_by_name_and_words_are_for_the_agent_again() -> None:
    door = Door()
    door.keys("4711#")
    door.keeper.is_known("Anna", door.now)
    welcome = Say("Welcome back, Anna. What can I do for you?")
    assert door.keeper.take() == [TakeWords(False), welcome]
    assert not door.keeper.private
    assert door.says("four seven one one") == (False, [])
    assert door.keys("99*") == []


def test_a_wrong_pin_may_be_tried_again_and_after_three_the_caller_is_a_guest() -> None:
    door = Door()
    for _ in range(2):
        door.keys("4711#")
        assert door.wrong() == [Say(door_words.AGAIN)]
    door.says("four seven one one")
    assert door.wrong() == [Say(f"{door_words.NOT_RIGHT} {OFFER}")]
    assert not door.keeper.private
    assert door.says("connect me with sales") == (False, [])


def test_a_guest_may_still_key_or_say_the_pin() -> None:
    door = Door()
    door.says("guest")
    assert door.keys("47") == [BeQuiet()]
    assert door.keeper.private
    assert door.keys("11#") == [BeQuiet(), TryPin("4711")]
    door.wrong()
    assert door.says("4711.") == (True, [BeQuiet(), TryPin("4711")])


def test_digits_a_guest_leaves_unfinished_are_forgotten() -> None:
    door = Door()
    door.says("guest")
    door.keys("47")
    door.after(13)
    assert not door.keeper.private
    assert door.keys("#") == []


def test_the_first_words_may_be_a_request_where_guests_may_have_something() -> None:
    door = Door()
    assert door.says("Please connect me with somebody in sales") == (False, [])
    assert not door.keeper.private


@pytest.mark.parametrize("said", ["Guest.", "Guess.", "skip", "I forgot it", "I don't have one"])
def test_a_guest_is_told_what_guests_may_do(said: str) -> None:
    assert Door().says(said) == (True, [Say(OFFER)])


def test_where_guests_may_have_nothing_a_request_is_answered_by_the_question() -> None:
    door = Door(guests_may=None)
    for _ in range(3):
        assert door.says("what is on my list") == (True, [Say(door_words.NEEDED)])
    taken, actions = door.says("what is on my list")
    assert (taken, actions[-1]) == (True, Say(door_words.SORRY, ends=True))


@pytest.mark.parametrize("said", ["Goodbye.", "I forgot it"])
def test_where_guests_may_have_nothing_who_has_no_pin_is_let_go(said: str) -> None:
    _taken, actions = Door(guests_may=None).says(said)
    assert actions[-1] == Say(door_words.SORRY, ends=True)


def test_three_wrong_pins_end_the_call_where_guests_may_have_nothing() -> None:
    door = Door(guests_may=None)
    for _ in range(3):
        door.keys("4711#")
        said = door.wrong()
    assert said[-1] == Say(f"{door_words.NOT_RIGHT} {door_words.SORRY}", ends=True)


def test_a_locked_number_is_told_when_to_try_again_and_goes_on_as_a_guest() -> None:
    door = Door(locked_seconds=240.5)
    wait = "There were too many wrong pins. You can try again in 5 minutes."
    assert door.first == [TakeWords(True), Say(f"{HELLO} {wait} {OFFER}")]
    door = Door()
    door.keys("4711#")
    door.keeper.is_locked(60, door.now)
    assert door.keeper.take() == [Say(f"{door_words.locked(60)} {OFFER}")]


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [(1, "a minute"), (60, "a minute"), (61, "2 minutes"), (3600, "an hour"), (86_000, "24 hours")],
)
def test_the_wait_is_rounded_up(seconds: float, wait: str) -> None:
    assert door_words.locked(seconds).endswith(f"try again in {wait}.")


def test_an_unknown_number_is_a_guest_at_once() -> None:
    door = Door(has_pin=False)
    assert door.first == [TakeWords(False), Say(f"{HELLO} {door_words.HELP}")]
    assert door.says("connect me with sales") == (False, [])
    assert door.says("1730") == (False, [])


def test_a_caller_from_an_unknown_number_keys_in_their_own_and_then_the_pin() -> None:
    door = Door(has_pin=False)
    assert door.keys("15551234567#")[-1] == Say(door_words.ASK_ITS_PIN)
    assert door.keys("4711#")[-1] == TryPin("4711", "15551234567")
    assert door.wrong() == [Say(door_words.AGAIN)]
    assert door.says("4 7 1 2") == (True, [BeQuiet(), TryPin("4712", "15551234567")])


def test_a_caller_from_an_unknown_number_is_listened_to_only_while_asked() -> None:
    door = Door(has_pin=False)
    assert TakeWords(True) in door.keys("15551234567#")
    assert TakeWords(False) in door.says("connect me with sales")[1]


def test_where_guests_may_have_nothing_an_unknown_number_is_asked_for_a_known_one() -> None:
    door = Door(has_pin=False, guests_may=None)
    assert door.first == [TakeWords(True), Say(f"{HELLO} {door_words.ASK_NUMBER}")]
    assert door.says("what is on my list") == (True, [Say(door_words.ASK_NUMBER)])
    assert door.after(2 * SILENCE_SECONDS + 60)[-1] == Say(door_words.SORRY, ends=True)


def test_silence_is_asked_once_more_and_then_taken_for_a_guest() -> None:
    door = Door()
    assert door.after(SILENCE_SECONDS + 10) == [Say(f"{door_words.ASK} {door_words.OR_GUEST}")]
    assert door.after(SILENCE_SECONDS + 10) == [Say(OFFER)]
    assert door.after(100) == []


def test_a_call_with_too_many_tries_is_ended() -> None:
    door = Door()
    for _ in range(MOST_ENTRIES):
        assert door.keys("4711#")[-1] == TryPin("4711")
        door.wrong()
    assert door.keys("4711#")[-1] == Say(door_words.TOO_OFTEN, ends=True)
    assert door.keys("4711#") == []
    assert door.says("4711") == (True, [])


def test_who_goes_on_trying_when_told_to_wait_is_hung_up_on() -> None:
    door, told_at_once = Door(), Door(locked_seconds=60)
    door.keys("4711#")
    door.keeper.is_locked(60, door.now)
    door.keeper.take()
    for trying in (door, told_at_once):
        assert trying.keys("4711#")[-1] == TryPin("4711")
        trying.keeper.is_locked(60, trying.now)
        assert trying.keeper.take()[-1] == Say(door_words.TOO_OFTEN, ends=True)
        trying.keeper.was_wrong(trying.now)
        assert trying.keeper.take() == []


def test_while_a_pin_is_looked_at_no_other_is() -> None:
    door = Door()
    door.keys("4711#")
    assert not any(isinstance(action, TryPin) for action in door.keys("4712#"))
    assert door.says("4 7 1 3") == (True, [])
    assert door.says("connect me with sales") == (False, [])


def test_the_hash_key_alone_is_for_emergencies_whoever_calls() -> None:
    door = Door(identified=True, emergency_key=True)
    assert door.keys("#") == [TakeWords(True), BeQuiet(), Emergency()]
    assert door.keys("1#") == []
    assert Door(identified=True).keys("#") == []


def test_an_emergency_nobody_answers_leaves_the_call_as_it_was() -> None:
    door = Door(emergency_key=True)
    door.keys("#")
    door.keeper.no_emergency(door.now)
    assert door.keeper.take() == [Say(door_words.NO_EMERGENCY)]
    assert door.keys("4711#")[-1] == TryPin("4711")


def test_an_emergency_comes_before_a_goodbye() -> None:
    door = Door(emergency_key=True, guests_may=None)
    door.says("goodbye")
    assert door.keys("47") == []
    assert door.keys("#") == [BeQuiet(), Emergency()]
    door.keeper.no_emergency(door.now)
    assert door.keeper.take() == [Say(door_words.NO_EMERGENCY, ends=True)]


def test_a_pin_that_turns_out_right_after_an_emergency_counts() -> None:
    door = Door(emergency_key=True)
    door.keys("4711#")
    assert door.keys("#") == [BeQuiet(), Emergency()]
    assert door.keys("#") == []
    door.keeper.is_known("Anna", door.now)
    assert door.keeper.take() == []
    door.keeper.no_emergency(door.now)
    assert door.keeper.take() == [TakeWords(False), Say(door_words.NO_EMERGENCY)]
    assert not door.keeper.private


def test_a_known_caller_whose_stream_broke_stays_known() -> None:
    door = Door(identified=True, saying="Sorry, I lost you for a moment.")
    assert door.first == [TakeWords(False), Say("Sorry, I lost you for a moment.")]


def test_a_guest_whose_transfer_was_missed_goes_on_as_one() -> None:
    door = Door(talked=True, saying="Nobody in sales answered.")
    assert door.first == [TakeWords(True), Say("Nobody in sales answered.")]
    assert door.says("try support then") == (False, [])


def test_who_is_called_about_a_reminder_is_asked_for_no_pin() -> None:
    door = Door(trusted=True, saying="It is time to take your pills.")
    assert door.first == [TakeWords(False), Say("It is time to take your pills.")]
    assert not door.keeper.private
    assert door.keys("4711#")[-1] == TryPin("4711")
    door.keeper.is_locked(60, door.now)
    assert TakeWords(False) in door.keeper.take()


def test_no_pin_shows_in_what_may_be_logged() -> None:
    assert "4711" not in repr(TryPin("4711"))
