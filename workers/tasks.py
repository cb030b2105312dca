"""The Celery tasks: thin, ids only. What they do lies in the modules they import when run.

Imported by every worker, so nothing here may import langchain, numpy or an engine.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from billiard.exceptions import TimeLimitExceeded
from celery import Task, current_app, shared_task, signals
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from redis.exceptions import RedisError

from convonet import counters, stopwatch
from workers import bootsteps, published, wiring
from workers.schedule import FIRE_SECONDS

current_app.steps["worker"].update(bootsteps.STEPS)


class TurnTask(Task):  # type: ignore[misc]  # celery has no types
    """A turn whose child was killed at the hard time limit is still answered."""

    given_up_by = "give_up_turn"
    """Asked for by a child that cannot end one of its turns, and so ends itself."""

    def on_failure(
        self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any
    ) -> None:
        if isinstance(exc, TimeLimitExceeded):  # told in the parent, which touches no database
            # Once the child is surely dead, so that its turn is free to be taken.
            give_up_turn.apply_async(args, countdown=1)


@shared_task(base=TurnTask)
def run_turn(turn_id: str) -> None:
    with stopwatch.of(turn_id):
        stopwatch.mark("taken")
        wiring.turn_runner().run(turn_id)


@shared_task(base=TurnTask, alone=True)
def run_turn_alone(turn_id: str) -> None:
    """Once more, after memory ran out beside other turns: in a child that works on nothing else."""
    run_turn.run(turn_id)


@shared_task
def give_up_turn(turn_id: str) -> None:
    wiring.turn_runner().give_up(turn_id)


@shared_task
def brief(call_id: str) -> None:
    wiring.realtime_jobs().brief(call_id)


@shared_task
def run_tool(turn_id: str, tool_call_id: str) -> None:
    wiring.realtime_jobs().run_tool(turn_id, tool_call_id)


@shared_task(queue=settings.HEARING_QUEUE)
def transcribe(utterance_id: str, call_id: str) -> None:
    from workers import speech_jobs

    speech_jobs.transcribe(wiring.redis_client(), wiring.transcriber(), utterance_id, call_id)


@shared_task(queue=settings.SPEAKING_QUEUE)
def speak(turn_id: str, seq: int) -> None:
    from workers import speech_jobs

    with stopwatch.of(turn_id):
        stopwatch.mark("speech taken")
        speech_jobs.speak(wiring.redis_client(), wiring.synthesizer(), turn_id, seq)


@shared_task(queue=settings.SPEAKING_QUEUE)
def speak_reminder(reminder_id: int) -> None:
    from workers import reminders, speech_jobs

    speech = reminders.speech_for(reminder_id)
    if speech is not None:
        redis, engine = wiring.redis_client(), wiring.synthesizer()
        speech_jobs.speak_reminder(redis, engine, reminder_id, speech)


@shared_task(queue=settings.SPEAKING_QUEUE)
def speak_sample(voice: str) -> None:
    from workers import samples

    samples.speak(wiring.redis_client(), wiring.synthesizer_named, voice)


@shared_task
def stand_by() -> None:
    """A call begins. That this came has had the worker start the children that it let go."""


@shared_task
def get_ready() -> None:
    from workers import engines

    engines.get_ready(wiring.redis_client())


@shared_task
def fire_due_reminders() -> None:
    from workers import reminders

    for reminder_id in reminders.fire_due(wiring.redis_client()):
        speak_reminder.apply_async([reminder_id])
    for ringing_id in reminders.to_ring():
        # Looked for again at the next sweep, so that none of them piles up.
        ring.apply_async([str(ringing_id)], expires=FIRE_SECONDS)


@shared_task
def ring(ringing_id: str) -> None:
    from workers import ringing

    ringing.look(UUID(ringing_id))


@shared_task
def store_recording(call_id: str, name: str) -> None:
    from phone import recordings

    recordings.store_piece(wiring.redis_client(), call_id, name)


@shared_task(soft_time_limit=600, time_limit=660, long=True)
def join_recordings() -> None:
    from django.utils import timezone

    from phone import recordings

    recordings.join_due(wiring.redis_client(), timezone.now())


@shared_task(soft_time_limit=600, time_limit=660, acks_late=False, long=True)
def delete_old_records() -> None:
    from django.utils import timezone

    from workers import retention

    try:
        retention.purge(timezone.now(), wiring.retention_options())
    except SoftTimeLimitExceeded:
        return  # what is left goes tomorrow


@signals.task_postrun.connect
def _tell_counts(**_: Any) -> None:
    """In the child, which has no heartbeat; most tasks count nothing, and this sends nothing."""
    if counters.waiting():
        with suppress(RedisError):
            published.execute(wiring.redis_client().pipeline(transaction=False))


if stopwatch.on:

    @signals.task_received.connect
    def _mark_received(request: Any, **_: Any) -> None:
        """In the worker's parent."""
        name = request.name.rpartition(".")[2]
        if name in ("run_turn", "speak"):
            stopwatch.mark("received" if name == "run_turn" else "speech received", request.args[0])
