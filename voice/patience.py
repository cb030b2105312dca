"""How long a call waits: for a worker, for audio, for words. Pure rules of one turn."""

from __future__ import annotations

from voice.turns import LiveTurn

# A healthy worker takes a turn up within milliseconds; past this the caller is told why.
ASK_AFTER_SECONDS = 3.0
# Silence before the caller is told to wait, and between such words; a turn ends at its deadline.
FILL_AFTER_SECONDS = 1.3
FILL_AGAIN_SECONDS = 7.0
MOST_FILLERS = 4
# How long a turn is kept for a worker that is not running.
KEEP_SECONDS = 120.0
# A sentence is spoken within milliseconds and a speech worker back within seconds of its death.
SPEECH_STALL_SECONDS = 15.0


def unattended(turn: LiveTurn, now: float) -> bool:
    """No worker has cared for it in time, and nobody has asked why."""
    return not turn.asked_after and now - turn.ended_at > ASK_AFTER_SECONDS


def overdue(turn: LiveTurn, now: float) -> bool:
    return not turn.answered and now > turn.deadline


def unread(turn: LiveTurn, now: float, stalled_seconds: float) -> bool:
    """Audio is on its way, and the caller's client acknowledges none of it."""
    return turn.playout.waiting_to_be_heard and now - turn.last_ack_at > stalled_seconds


def mute(turn: LiveTurn, now: float) -> bool:
    """The answer is there, all that was sent is heard, and no more audio comes."""
    waiting = turn.playout.waiting_to_be_heard
    return turn.answered and not waiting and now - turn.progress_at > SPEECH_STALL_SECONDS


def silent(turn: LiveTurn, now: float) -> bool:
    """The caller has waited long without a word, and was not told to wait too often."""
    silent_since = max(turn.ended_at, turn.filled_at)
    wait = FILL_AGAIN_SECONDS if turn.fillers else FILL_AFTER_SECONDS
    told_enough = turn.playout.replying or turn.fillers >= MOST_FILLERS
    return not told_enough and now - silent_since > wait
