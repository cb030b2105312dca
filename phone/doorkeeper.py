"""Finds out who is calling: greets, asks for the PIN, takes it by key or voice, lets guests on.

Pure: keys, words, verdicts and the clock come in, actions come out through `take()`;
`phone.attendant` carries them out. Times are seconds on the call's monotonic clock. No PIN ever
leaves but in a `TryPin`.
"""

from __future__ import annotations

from enum import Enum

from phone import door_words, spoken_digits
from phone.door_actions import Action, BeQuiet, Caller, Emergency, Say, TakeWords, TryPin
from phone.pins import LEAST_DIGITS, is_pin

# Digits of a PIN, then so long a pause, are the whole of it; of a number, that is read from a card.
PIN_PAUSE_SECONDS, NUMBER_PAUSE_SECONDS = 2.0, 6.0
LEAST_NUMBER_DIGITS, MOST_DIGITS = 7, 18
# A `#` after the pause had its effect already belongs to the digits before it.
LATE_HASH_SECONDS = 4.0
FORGET_SECONDS = 12.0  # unfinished digits that nobody asked for
SILENCE_SECONDS = 15.0
SAYING_SECONDS = 0.07  # a character, as Pico does
WRONG_TRIES = 3
# Of what is taken for a PIN in one call, whatever came of it.
MOST_ENTRIES = 6
MOST_QUESTIONS = 3
# Who says a PIN in two breaths says the rest within this.
REST_SECONDS = 5.0


class State(Enum):
    ASKING = "asking"
    """For a PIN, or for a number first."""
    CHECKING = "checking"
    GUEST = "guest"
    KNOWN = "known"
    OVER = "over"


class Doorkeeper:
    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._out: list[Action] = []
        self._state = State.OVER
        self._before = State.GUEST
        self._taking: bool | None = None
        self._calling_help = self._told_locked = False
        self._digits = self._number = self._said = ""
        self._said_at = self._keyed_at = self._ended_at = float("-inf")
        self._silent_since = 0.0
        self._wrong = self._entries = self._questions = 0

    def take(self) -> list[Action]:
        """The actions since the last call, in order."""
        actions, self._out = self._out, []
        return actions

    @property
    def private(self) -> bool:
        """A PIN is expected or under way: what is heard now must not be kept."""
        return bool(self._digits) or self._state in (State.ASKING, State.CHECKING)

    # What happens -------------------------------------------------------------------------------
    def begin(self, now: float) -> None:
        caller = self._caller
        self._silent_since = now
        hello = caller.saying or caller.greeting
        if caller.identified or caller.trusted:
            self._become(State.KNOWN if caller.identified else State.GUEST)
            self._say(hello, now)
        elif caller.talked or not (caller.has_pin or caller.guests_may is None):
            self._become(State.GUEST)
            self._say(hello if caller.saying else f"{hello} {door_words.HELP}", now)
        elif caller.has_pin and not caller.locked_seconds:
            self._become(State.ASKING)
            self._say(f"{hello} {self._question()}", now)
        elif caller.locked_seconds:
            self._told_locked = True
            self._go_on(f"{hello} {door_words.locked(caller.locked_seconds)}", now)
        else:
            self._become(State.ASKING)
            self._say(f"{hello} {door_words.ASK_NUMBER}", now)

    def key(self, digit: str, now: float) -> None:
        """One key of the telephone."""
        if digit == "#":
            self._hash(now)
        elif self._state is State.OVER or self._state is State.KNOWN:
            return
        elif digit == "*":
            self._digits = ""
            self._out.append(BeQuiet())
        elif digit.isdigit() and len(self._digits) < MOST_DIGITS:
            if not self._digits:
                self._out.append(BeQuiet())
            self._digits += digit
        self._keyed_at = self._silent_since = now

    def words(self, text: str, now: float) -> bool:
        """What was said; False says that it is for the agent."""
        if self._state is State.KNOWN or not text:
            return False
        self._silent_since = now
        spoken = spoken_digits.read(text)
        if self._state is State.ASKING:
            return self._answered(text, spoken, now)
        if self._state is State.GUEST:
            offered = is_pin(spoken.digits) and not self._wants_number
            if offered:
                self._try(spoken.digits, now)
            return offered
        # The call ends, or a PIN is looked at: nothing but a wish that a guest may have counts.
        over = self._state is State.OVER
        return over or spoken.mostly or self._caller.guests_may is None

    def tick(self, now: float) -> None:
        paused = now - self._keyed_at
        if self._digits and self._state is State.ASKING:
            is_number = len(self._digits) >= LEAST_NUMBER_DIGITS or self._wants_number
            if paused >= (NUMBER_PAUSE_SECONDS if is_number else PIN_PAUSE_SECONDS):
                self._ended_at = now
                self._entered(now)
        elif self._digits and paused >= FORGET_SECONDS:
            self._digits = ""
        elif self._said and now - self._said_at >= REST_SECONDS:
            self._said = ""
            if self._state is State.ASKING:
                self._ask_again(door_words.NOT_A_PIN, now)
        elif self._state is State.ASKING and now - self._silent_since >= SILENCE_SECONDS:
            self._nothing_said(now)

    def is_known(self, name: str, now: float) -> None:
        """The PIN was right."""
        if self._is_late(State.KNOWN):
            return
        self._digits = ""
        self._become(State.KNOWN)
        self._say(f"Welcome back, {name}. {door_words.HELP}", now)

    def was_wrong(self, now: float) -> None:
        if self._is_late(State.GUEST):
            return
        self._wrong += 1
        if self._wrong >= WRONG_TRIES:
            self._go_on(door_words.NOT_RIGHT, now)
        else:
            self._become(State.ASKING)
            self._say(door_words.AGAIN, now)

    def is_locked(self, seconds: float, now: float) -> None:
        """There were too many wrong tries; the next may be made in so long."""
        if self._is_late(State.GUEST):
            return
        if self._told_locked:
            # Who goes on all the same does not listen, and each sentence costs the other calls.
            self._end(door_words.TOO_OFTEN)
        else:
            self._told_locked = True
            self._go_on(door_words.locked(seconds), now)

    def not_checked(self, now: float) -> None:
        """Nobody knows whether it was right."""
        if not self._is_late(State.GUEST):
            self._go_on(door_words.NOT_ABLE, now)

    def no_emergency(self, now: float) -> None:
        """The key did nothing: go on as before."""
        self._calling_help = False
        self._become(self._before)
        self._out.append(Say(door_words.NO_EMERGENCY, ends=self._before is State.OVER))

    # Inside ---------------------------------------------------------------------------------
    def _become(self, state: State) -> None:
        """Words are taken while they may be a PIN: of guests, if their number has one."""
        self._state = state
        guests = self._caller.has_pin and not self._caller.trusted
        wanted = state is not State.KNOWN and (guests or state is not State.GUEST)
        if wanted is not self._taking:
            self._taking = wanted
            self._out.append(TakeWords(wanted))

    @property
    def _wants_number(self) -> bool:
        return not (self._caller.has_pin or self._number)

    def _is_late(self, state: State) -> bool:
        """The call is about to end or to be put through: that state is for if it is not."""
        self._before = state
        return self._state is State.OVER

    def _question(self) -> str:
        or_guest = "" if self._caller.guests_may is None else f" {door_words.OR_GUEST}"
        return door_words.ASK + or_guest

    def _hash(self, now: float) -> None:
        if self._digits:
            self._entered(now)
        elif now - self._ended_at <= LATE_HASH_SECONDS:
            self._ended_at = float("-inf")
        elif self._caller.emergency_key and not self._calling_help:
            self._before, self._calling_help = self._state, True
            self._become(State.OVER)
            self._out += [BeQuiet(), Emergency()]

    def _entered(self, now: float) -> None:
        """These digits are all that was to be keyed."""
        digits, self._digits = self._digits, ""
        if self._state is State.CHECKING:
            return
        if len(digits) >= LEAST_NUMBER_DIGITS:
            self._number = digits
            self._become(State.ASKING)
            self._say(door_words.ASK_ITS_PIN, now)
        elif self._wants_number:
            self._ask_again(door_words.ASK_NUMBER, now)
        elif is_pin(digits):
            self._try(digits, now)
        else:
            self._ask_again(door_words.NOT_A_PIN, now)

    def _answered(self, text: str, spoken: spoken_digits.Spoken, now: float) -> bool:
        """To the question for the PIN."""
        if spoken.digits or spoken.mostly:
            self._digits_said(spoken.digits, now)
            return True
        if self._caller.guests_may is None:
            self._refuse(text, now)
            return True
        if door_words.has_no_pin(text):
            self._go_on("", now)
            return True
        self._become(State.GUEST)
        return False

    def _digits_said(self, digits: str, now: float) -> None:
        """All or the rest of a PIN, or what cannot be one."""
        whole, self._said = self._said + digits, ""
        if self._wants_number:
            self._ask_again(door_words.ASK_NUMBER, now)
        elif is_pin(whole):
            self._try(whole, now)
        elif digits and len(whole) < LEAST_DIGITS:
            self._said, self._said_at = whole, now
        else:
            self._ask_again(door_words.NOT_A_PIN, now)

    def _try(self, pin: str, now: float) -> None:
        if self._too_often():
            return
        self._said = ""
        self._become(State.CHECKING)
        self._out += [BeQuiet(), TryPin(pin, self._number)]

    def _ask_again(self, text: str, now: float) -> None:
        if not self._too_often():
            self._become(State.ASKING)
            self._say(text, now)

    def _too_often(self) -> bool:
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            self._end(door_words.TOO_OFTEN)
            return True
        return False

    def _refuse(self, text: str, now: float) -> None:
        """Somebody wants something, or nothing more, where only known people may."""
        self._questions += 1
        if self._questions > MOST_QUESTIONS or door_words.gives_up(text):
            self._end(door_words.SORRY)
        else:
            self._say(door_words.ASK_NUMBER if self._wants_number else door_words.NEEDED, now)

    def _nothing_said(self, now: float) -> None:
        self._questions += 1
        if self._questions > 1:
            self._go_on("", now)
        else:
            self._say(door_words.ASK_NUMBER if self._wants_number else self._question(), now)

    def _go_on(self, why: str, now: float) -> None:
        """Without a PIN, if anything can be done without one."""
        may = self._caller.guests_may
        self._number = ""
        if may is None and not self._caller.trusted:
            self._end(f"{why} {door_words.SORRY}".strip())
            return
        self._become(State.GUEST)
        offer = f"Without it I can {may}." if may else ""
        self._say(" ".join(filter(None, (why, offer, door_words.HELP))), now)

    def _end(self, text: str) -> None:
        self._digits = ""
        self._become(State.OVER)
        self._out += [BeQuiet(), Say(text, ends=True)]

    def _say(self, text: str, now: float) -> None:
        self._silent_since = now + SAYING_SECONDS * len(text)
        self._out.append(Say(text))
