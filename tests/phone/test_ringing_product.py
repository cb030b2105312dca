"""Reminders that ring, through the whole product: launcher, workers, speech, and Twilio's side."""

from __future__ import annotations

import sqlite3
import wave
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import Celery

from tests.stack import Stack, wait_until
from tests.standins.twilio_process import TwilioProcess
from voice.audio import BROWSER
from workers.speech.options import PicoOptions
from workers.speech.pico import PicoSynthesizer

# One product at a time is up in each lane.
pytestmark = [pytest.mark.service, pytest.mark.xdist_group("products"), pytest.mark.timeout(300)]
ANNA, BEN, CLEO, DORA = (f"+1555123000{n}" for n in range(4))
# Longer than the first words; CI has two slow cores.
MOST_SECONDS = 90

PEOPLE = """
from django.contrib.auth.models import User
from django.utils import timezone
from phone.models import PhoneAccount, PhoneNumber
from todo.models import Reminder
for name, number, rings in {people!r}:
    user = User.objects.create_user(name, first_name=name.capitalize())
    account = PhoneAccount.objects.create(owner=user, rings=rings)
    PhoneNumber.objects.create(account=account, number=number)
    Reminder.objects.create(owner=user, text="tea", due_at=timezone.now())
answer = None
"""


@pytest.fixture(scope="module")
def running_twilio() -> Iterator[TwilioProcess]:
    process = TwilioProcess()
    yield process
    process.stop()


@pytest.fixture
def twilio(running_twilio: TwilioProcess) -> TwilioProcess:
    running_twilio.reset()
    return running_twilio


@pytest.fixture(scope="module")
def product(
    running_twilio: TwilioProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("ringing"), running_twilio.env)
    stack.env["PUBLIC_URL"] = stack.url
    try:
        yield stack.start()
    finally:
        stack.stop()


@pytest.fixture
def snooze(tmp_path: Path) -> Path:
    """Somebody says it."""
    path = tmp_path / "snooze.wav"
    speech = PicoSynthesizer(PicoOptions()).synthesize("Remind me again in ten minutes.", BROWSER)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(BROWSER.rate_hz)
        file.writeframes(b"".join(speech) + bytes(BROWSER.bytes_of(800)))
    return path


def ring_of(stack: Stack, number: str) -> tuple[Any, ...]:
    rows = stack.rows("SELECT state, tries FROM phone_ringing WHERE number = ?", number)
    return rows[0] if rows else ()


def come(stack: Stack, number: str) -> None:
    """Its time has come, and the scheduler looks."""
    with closing(sqlite3.connect(stack.var_dir / "convonet.sqlite3", timeout=30)) as database:
        values = (datetime.now(UTC).replace(tzinfo=None).isoformat(" "), number)
        with database:
            database.execute("UPDATE phone_ringing SET next_at = ? WHERE number = ?", values)
    queue = Celery(broker=stack.run_state["REDIS_URL"])
    queue.send_task("workers.tasks.fire_due_reminders", queue="agent")


def test_reminders_call_who_wishes_it_and_can_be_snoozed_by_voice(
    product: Stack, twilio: TwilioProcess, snooze: Path
) -> None:
    # Who knows what it is about does not wait for the end of the sentence.
    answers = [{"heard": 800}, {"say": str(snooze)}, {"stay": MOST_SECONDS}]
    twilio.configure(callees={ANNA: {"steps": answers}, BEN: {"outcome": "busy"}})
    people = [("anna", ANNA, True), ("ben", BEN, True), ("dora", DORA, False)]
    product.ask(PEOPLE.format(people=people))

    # Nobody answers: once more, later, and then it is a machine.
    wait_until(lambda: ring_of(product, BEN) == ("waiting", 1), MOST_SECONDS, "busy is noted")
    twilio.configure(callees={BEN: {"answered_by": "machine_end_beep"}})
    come(product, BEN)
    wait_until(lambda: ring_of(product, BEN) == ("voicemail", 2), MOST_SECONDS, "a message is left")

    # Somebody answers, says when, hears that it was understood, and is hung up on.
    call = twilio.wait_for_call(
        lambda call: call["to"] == ANNA and call["status"] == "completed",
        "Anna's call ends",
        MOST_SECONDS,
    )
    assert call["errors"] == []
    assert ring_of(product, ANNA) == ("answered", 1)
    reminders = product.rows(
        "SELECT r.state, round((julianday(r.due_at) - julianday(r.created_at)) * 1440)"
        " FROM todo_reminder r JOIN auth_user u ON u.id = r.owner_id"
        " WHERE u.username = 'anna' ORDER BY r.id"
    )
    assert reminders == [("told", 0.0), ("waiting", 10.0)]
    turns = product.rows("SELECT state, transcript, reply FROM voice_turn")
    assert [state for state, _, _ in turns] == ["done"], turns
    assert "I will remind you again" in turns[0][2]
    assert product.rows("SELECT identified, end_reason FROM voice_call") == [(0, "said goodbye")]

    # Ben's is told when he comes next; who did not wish it was not called.
    fired = product.rows(
        "SELECT u.username FROM todo_reminder r JOIN auth_user u ON u.id = r.owner_id"
        " WHERE r.state = 'fired' AND u.username IN ('ben', 'dora') ORDER BY 1"
    )
    assert fired == [("ben",), ("dora",)]
    assert sorted(call["to"] for call in twilio.calls) == [ANNA, BEN, BEN]


def test_a_worker_killed_while_it_asks_for_a_call_rings_nobody_twice(
    product: Stack, twilio: TwilioProcess
) -> None:
    def asked() -> list[str]:
        """The addresses given for Cleo's calls."""
        wanted = [one["parameters"] for one in twilio.asked]
        return [given["Url"] for given in wanted if given.get("To") == CLEO]

    twilio.configure(fails="silence", callees={CLEO: {"answered_by": "machine_end_beep"}})
    product.ask(PEOPLE.format(people=[("cleo", CLEO, True)]))
    wait_until(lambda: len(asked()) == 1, MOST_SECONDS, "a call is asked for")
    for child in psutil.Process(product.pid("agent")).children():
        with suppress(psutil.NoSuchProcess):
            child.kill()
    twilio.configure(fails="")
    wait_until(lambda: queued(product) == 0, MOST_SECONDS, "the task was given to another child")
    assert ring_of(product, CLEO) == ("placing", 1)

    # In time it counts as lost, and is repeated later like one that nobody answered.
    come(product, CLEO)
    wait_until(lambda: ring_of(product, CLEO) == ("waiting", 1), MOST_SECONDS, "it is given up")
    assert len(asked()) == 1
    come(product, CLEO)
    wait_until(lambda: ring_of(product, CLEO) == ("voicemail", 2), MOST_SECONDS, "it rings again")
    assert [url.rpartition("?")[2] for url in asked()] == ["try=1", "try=2"]


def queued(stack: Stack) -> int:
    """Tasks of the agents that wait or run."""
    with stack.redis as broker:
        return int(broker.llen("agent")) + int(broker.hlen("unacked"))
