"""A real speech worker whose only recogniser and voice are services that fail in every way."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis as redis_library
from celery import Celery

from tests.stack import wait_until
from tests.standins.speech_http import FAILURES, KEY, StandIn, serving
from tests.standins.speech_openai import OpenAIStandIn
from tests.workers.processes import Worker
from voice import keys
from voice.audio import BROWSER, AudioFormat
from voice.events import SentenceAudio, Transcribed, decode
from voice.models import ProviderUse

Stage = ProviderUse.Stage
CODES = ["auth", "rate", "server", "timeout", "half", "garbage"]


def say(text: str, audio_format: AudioFormat) -> bytes:
    return b"\x01\x02" * (audio_format.bytes_per_second // 2)


@pytest.fixture
def service() -> Iterator[StandIn]:
    with serving(OpenAIStandIn(lambda audio, audio_format: "Add milk.", say)) as running:
        yield running


class SpeechCall:
    """A call that asks the worker to hear and to speak, and waits for what it is told."""

    def __init__(self, redis: redis_library.Redis, broker: str) -> None:
        self.id = str(uuid.uuid4())
        self._redis = redis
        self._app = Celery(broker=broker)

    def hear(self) -> Transcribed:
        utterance_id = str(uuid.uuid4())
        fields: Any = {"format": str(BROWSER), "audio": bytes(BROWSER.bytes_of(1_000))}
        self._redis.hset(keys.utterance(utterance_id), mapping=fields)
        self._queue("transcribe", utterance_id, self.id)
        event: Transcribed = self._told(Transcribed, utterance_id)
        return event

    def speak(self) -> tuple[str, SentenceAudio]:
        """The turn's id, and the end of its only sentence."""
        turn_id = str(uuid.uuid4())
        fields: Any = {"call": self.id, "format": str(BROWSER), "0": "Added milk."}
        self._redis.hset(keys.reply_text(turn_id), mapping=fields)
        self._queue("speak", turn_id, 0)
        return turn_id, self._told(SentenceAudio, turn_id)

    def _queue(self, task: str, *arguments: Any) -> None:
        self._app.send_task(f"workers.tasks.{task}", arguments, queue="speech")

    def _told(self, kind: type[Any], some_id: str) -> Any:
        def found() -> list[Any]:
            entries: Any = self._redis.xrange(keys.call_stream(self.id))
            told = [decode(fields[b"e"]) for _, fields in entries]
            return [event for event in told if _ends(event, kind, some_id)]

        wait_until(lambda: bool(found()), 60, f"{kind.__name__} of {some_id}")
        return found()[0]


def _ends(event: Any, kind: type[Any], some_id: str) -> bool:
    if not isinstance(event, kind):
        return False
    if isinstance(event, SentenceAudio):
        return event.turn_id == some_id and event.final
    return bool(event.utterance_id == some_id)


def uses(stage: str, **of: str) -> list[str]:
    """The codes of the questions on record, once there is one."""
    rows = ProviderUse.objects.filter(stage=stage, provider="openai", **of)
    wait_until(rows.exists, 60, f"a {stage} use")
    return [row.error for row in rows]


def test_every_failure_of_hearing_and_of_speaking_is_told_and_the_next_one_is_served(
    start_worker: Callable[..., Worker],
    service: StandIn,
    redis: redis_library.Redis,
    own_broker: str,
) -> None:
    start_worker(
        "speech",
        TRANSCRIBER="openai",
        SYNTHESIZER="openai",
        OPENAI_API_KEY=KEY,
        OPENAI_AUDIO_URL=f"{service.url}/v1",
        SPEECH_TIMEOUT_SECONDS="2",
    )
    call = SpeechCall(redis, own_broker)
    for fails, name in zip(FAILURES, CODES, strict=True):
        code = f"speech_{name}"
        service.fails = fails
        heard = call.hear()
        assert (heard.failed, heard.error, heard.text) == (True, code, "")
        assert uses(Stage.HEAR, utterance_id=heard.utterance_id) == [code]
        turn_id, spoken = call.speak()
        assert (spoken.failed, spoken.error) == (True, code)
        # Half a sentence was heard by then.
        assert bool(spoken.size_bytes) == (fails == "half")
        assert uses(Stage.SPEAK, turn_id=turn_id) == [code]
        service.fails = ""
        assert call.hear().text == "Add milk."
        turn_id, spoken = call.speak()
        assert not spoken.failed
        assert BROWSER.ms_of(spoken.size_bytes) == 1_000
        assert uses(Stage.SPEAK, turn_id=turn_id) == [""]
    kept = ProviderUse.objects.filter(call_id=call.id)
    assert set(kept.values_list("model", flat=True)) == {
        "gpt-4o-mini-transcribe",
        "gpt-4o-mini-tts",
    }
