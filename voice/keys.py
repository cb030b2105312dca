"""Every Redis key of the product, and how long it lives. Nothing is written without a lifetime."""

from __future__ import annotations

PREFIX = "convonet:"

# A caller waits seconds for a turn; a quarter of an hour covers a restarted worker or machine.
AUDIO_SECONDS = 900
# Events outlive a web process that restarts; a call lasts at most half an hour.
STREAM_SECONDS = 3600
# A stream holds at most this many events; a reader this far behind has lost its call anyway.
STREAM_LENGTH = 2000
# Far longer than a message may take; a child that lives renews it.
CLAIMS_SECONDS = 900
# As long as the longest turn.
DRAINING_SECONDS = 45
# What was said aside may be a secret: nobody needs it once it was delivered.
ASIDE_SECONDS = 60


def utterance(utterance_id: str) -> str:
    """bytes: the caller's audio in its native format (hash: `format`, `audio`)."""
    return f"{PREFIX}utterance:{utterance_id}"


def reply_audio(turn_id: str, seq: int) -> str:
    """bytes: sentence `seq` of a reply in the call's format, appended as it is made."""
    return f"{PREFIX}reply:{turn_id}:{seq}"


def reply_text(turn_id: str) -> str:
    """hash: `format`, `call`, and the text of each sentence under its number."""
    return f"{PREFIX}reply:{turn_id}:text"


def cancelled(turn_id: str) -> str:
    """flag: the caller interrupted this turn; the worker checks it between steps."""
    return f"{PREFIX}cancelled:{turn_id}"


def tool_request(turn_id: str, tool_call_id: str) -> str:
    """hash: a speech-to-speech model's wish: `ordinal` in the turn, `name`, `arguments` (JSON)."""
    return f"{PREFIX}tool:{turn_id}:{tool_call_id}"


def attempt(turn_id: str) -> str:
    """number: the worker's attempt that may tell of this turn; earlier ones are refused."""
    return f"{PREFIX}attempt:{turn_id}"


def call_stream(call_id: str) -> str:
    return f"{PREFIX}call:{call_id}:events"


def aside_stream(call_id: str) -> str:
    """What was said in a call to somebody else than the agent; each entry is read once."""
    return f"{PREFIX}call:{call_id}:aside"


def person_stream(user_id: int) -> str:
    return f"{PREFIX}person:{user_id}:events"


def reminder_audio(reminder_id: int) -> str:
    """bytes: a WAV file that says the reminder."""
    return f"{PREFIX}reminder:{reminder_id}:wav"


def voice_sample(voice: str) -> str:
    """hash: `state` (`ordered`, `failed`), then `wav`, a file that lets this voice be heard."""
    return f"{PREFIX}sample:{voice}"


def samples_of(user_id: int) -> str:
    """number: the samples made for this person within the last minute."""
    return f"{PREFIX}samples:{user_id}"


def ticket(ticket_id: str) -> str:
    """flag: this socket ticket has been used."""
    return f"{PREFIX}ticket:{ticket_id}"


def heartbeat(role: str) -> str:
    """string: JSON state of a worker role, renewed while it lives."""
    return f"{PREFIX}alive:{role}"


def scheduled(task: str) -> str:
    """flag: this chore was begun, and is due again when the flag has gone."""
    return f"{PREFIX}scheduled:{task}"


def claims(queue: str, holder: str) -> str:
    """list: the messages of that queue that one child of a worker has claimed and not done yet."""
    return f"{PREFIX}claims:{queue}:{holder}"


def claimers(queue: str) -> str:
    """sorted set: the children that claim from that queue, by when each was last seen."""
    return f"{PREFIX}claimers:{queue}"


def draining(worker: str) -> str:
    """flag: this child is the one of its worker that claims nothing, to finish its shift."""
    return f"{PREFIX}draining:{worker}"


def recording_piece(call_id: str, name: str) -> str:
    """bytes: a few seconds of a recorded call, until a worker has stored them."""
    return f"{PREFIX}recording:{call_id}:{name}"


def recording_pieces(call_id: str) -> str:
    """set: the names of the pieces that no worker has stored yet."""
    return f"{PREFIX}recording:{call_id}"


def recording_joined(call_id: str) -> str:
    """flag: a worker is joining this call's pieces."""
    return f"{PREFIX}recording:{call_id}:joining"


def places() -> str:
    """zset: the places of all calls, and until when (ms of the broker's clock) each is leased."""
    return f"{PREFIX}places"


def place_holders() -> str:
    """hash: the socket that holds each place."""
    return f"{PREFIX}places:holders"


def places_of(caller: str) -> str:
    """zset: those of one caller, as in `places`."""
    return f"{PREFIX}places:of:{caller}"


def young_places(host: str) -> str:
    """zset: those taken on one machine just now, and until when they count as that."""
    return f"{PREFIX}places:young:{host}"


def line() -> str:
    """zset: who waits for a place, and since when (ms)."""
    return f"{PREFIX}line"


def line_leases() -> str:
    """zset: until when each of them is known to wait."""
    return f"{PREFIX}line:leases"


def line_holders() -> str:
    """hash: the socket by which each of them waits."""
    return f"{PREFIX}line:holders"


def announced(kind: str) -> str:
    """set: the names of those of one kind (`web`, `memory`) that announce themselves."""
    return f"{PREFIX}announced:{kind}"


def announcement(kind: str, name: str) -> str:
    """string: JSON that one of them says of itself, renewed while it lives."""
    return f"{PREFIX}announced:{kind}:{name}"


def counters() -> str:
    """hash: how often what of `convonet.counters` happened, in all processes together."""
    return f"{PREFIX}counters"


def endings() -> str:
    """list: the last children of workers that ended, newest first, as JSON."""
    return f"{PREFIX}endings"


def nudges() -> str:
    """channel: a call has begun or ended."""
    return f"{PREFIX}nudges"
