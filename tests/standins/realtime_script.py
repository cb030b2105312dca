"""What the Realtime stand-in hears and answers, and what it tells of the sockets it had.

`Desk.configure` takes plain values, so that a test in another process can say them as JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

# What `Reply.fail` may be.
FAILURES = (
    "rate",  # the response fails: rate_limit_exceeded
    "server",  # the response fails: server_error
    "silence",  # nothing comes after response.created
    "short",  # half of the audio, then the response is `incomplete`
)
MS_PER_CHARACTER = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: words spoken, then function calls."""

    say: str = ""
    ms: int = 0
    """How long saying it takes; 0 goes by its length."""
    from_ms: int = 0
    """Where in the recorded talk its audio begins, so that one can be told from another."""
    tools: Sequence[tuple[str, Any]] = ()
    """Names and arguments; arguments that are a string go out as they are."""
    wait: float = 0.0
    """Seconds before its first word."""
    speed: float = 0.0
    """Times real time; 0 takes the desk's."""
    cut_at_ms: int | None = None
    """The connection is closed, without a word, behind so much of its audio."""
    fail: str = ""

    @property
    def spoken_ms(self) -> int:
        return self.ms or len(self.say) * MS_PER_CHARACTER


@dataclass(slots=True)
class Desk:
    """How the service behaves; may be changed while it runs."""

    transcripts: list[str | None] = field(default_factory=list)
    """What is heard, one utterance after the other; None: its transcription fails.

    When none is left, `heard` is.
    """
    heard: str = "Add buy milk."
    transcript_wait: float = 0.05
    """Seconds from the end of an utterance to its transcript: the answer may well be earlier."""
    scripts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Replies by what was heard (or written), one for each response to it; the last one stays.

    Words that are JSON are a script themselves. Of a `response.create` with instructions these are
    looked up first.
    """
    default: list[dict[str, Any]] = field(default_factory=lambda: [{"say": "All right."}])
    speed: float = 10.0
    """Audio is made so many times faster than it is heard."""
    late_delta: bool = True
    """One more delta leaves behind the end of a cancelled response."""
    refuse: int = 0
    """So many of the next connections are refused,"""
    refuse_status: int = 503
    """with this status; 0 closes the connection without an answer."""
    silent: bool = False
    """Takes connections and all that comes, and says nothing."""

    def configure(self, values: dict[str, Any]) -> None:
        """Raises ValueError for what there is not."""
        known = {one.name for one in fields(self)}
        if unknown := set(values) - known:
            raise ValueError(f"no such behaviour: {', '.join(sorted(unknown))}")
        for name, value in values.items():
            setattr(self, name, value)

    def next_transcript(self) -> str | None:
        return self.transcripts.pop(0) if self.transcripts else self.heard

    def reply(self, words: str, instructions: str, answered: int) -> Reply:
        """`answered`: responses there have been since these words."""
        script: Any = self.scripts.get(instructions) if instructions else None
        script = script or self.scripts.get(words)
        if script is None and words[:1] == "[":
            script = json.loads(words)
        script = script or self.default
        reply = Reply(**script[min(answered, len(script) - 1)])
        if reply.fail and reply.fail not in FAILURES:
            raise ValueError(f"there is no failure {reply.fail!r}")
        return reply


@dataclass(slots=True)
class Said:
    """One response, as it left."""

    id: str
    item_id: str = ""
    status: str = "in_progress"
    reason: str = ""
    audio_bytes: int = 0
    sha256: str = ""
    """Of its audio, without what came too late."""
    late_bytes: int = 0
    tools: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """One item of the conversation, as the model has it."""

    id: str
    type: str
    role: str = ""
    text: str = ""
    spoken: bool = False
    """It is audio, and `text` what was said in it."""
    audio_ms: int = 0
    truncated_ms: int | None = None
    call_id: str = ""
    name: str = ""
    response_id: str = ""
    """Of the model's own items."""

    @property
    def believed(self) -> str:
        """The words the model believes to have been heard."""
        if self.truncated_ms is None or not self.audio_ms:
            return self.text
        words = self.text.split()
        return " ".join(words[: len(words) * self.truncated_ms // self.audio_ms])


@dataclass(slots=True)
class Visit:
    """One socket, as the service saw it."""

    model: str
    session: dict[str, Any] = field(default_factory=dict)
    """The effective one."""
    updates: list[dict[str, Any]] = field(default_factory=list)
    appended_bytes: int = 0
    appended_sha256: str = ""
    speech: list[list[int]] = field(default_factory=list)
    """Start and end in ms of each utterance, by the service's own ears."""
    items: list[Item] = field(default_factory=list)
    responses: list[Said] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    """How often the client sent what."""
    errors: list[str] = field(default_factory=list)
    """Codes of the errors it was told."""
    open: bool = True

    @property
    def outputs(self) -> dict[str, str]:
        """What functions answered, by call."""
        return {i.call_id: i.text for i in self.items if i.type == "function_call_output"}

    def said(self) -> str:
        """All words that the model believes to have said, in order."""
        mine = (item.believed for item in self.items if item.role == "assistant")
        return " ".join(words for words in mine if words)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Visit:
        """The inverse of `asdict`."""
        visit = cls(**told)
        visit.items = [Item(**item) for item in told["items"]]
        visit.responses = [Said(**said) for said in told["responses"]]
        return visit


class Audit:
    """Counts and hashes bytes that are not kept."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size = 0

    def add(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@dataclass
class Book:
    """All sockets there were."""

    visits: deque[Visit] = field(default_factory=lambda: deque(maxlen=1000))
    refused: Counter[int] = field(default_factory=Counter)
    """Handshakes that were not taken, by status."""

    def told(self) -> dict[str, Any]:
        return {
            "visits": [asdict(visit) for visit in self.visits],
            "refused": {str(status): times for status, times in self.refused.items()},
        }
