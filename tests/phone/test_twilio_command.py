"""`manage.py twilio` against the stand-in of Twilio's API and a server that PUBLIC_URL leads to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from convonet.far_end import names
from convonet.far_end.webhooks import signature
from phone.models import Line
from tests.standins import twilio_rest
from tests.standins.http import Reply, Request, listen
from tests.standins.twilio_rest import TwilioRest
from voice.models import Business

pytestmark = [pytest.mark.django_db, pytest.mark.service]


class Ourselves:
    """What PUBLIC_URL leads to: takes what is signed for that address, or answers `status`."""

    def __init__(self) -> None:
        self.status, self.url = 0, ""

    async def answer(self, request: Request, reply: Reply) -> None:
        form = dict(CallSid="CA-of-no-call", CallStatus="completed")
        right = signature(names.AUTH_TOKEN, f"{self.url}/twilio/status", form)
        taken = request.headers.get("x-twilio-signature") == right
        reply.whole(self.status or (204 if taken else 403), b"", "text/plain")


@contextmanager
def elsewhere(start: Any) -> Iterator[Any]:
    """Servers in a thread of their own: the command waits for them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioRest]:
    with elsewhere(twilio_rest.start) as (service, _, url):
        settings.TWILIO_ACCOUNT_SID = names.ACCOUNT
        settings.TWILIO_AUTH_TOKEN = names.AUTH_TOKEN
        settings.TWILIO_API_URL, settings.TWILIO_NUMBER = url, ""
        yield service


@pytest.fixture(autouse=True)
def ourselves(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ourselves]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = Ourselves()

    async def start() -> Any:
        return await listen(served.answer, 0)

    with elsewhere(start) as listening:
        host, port = listening.sockets[0].getsockname()
        settings.PUBLIC_URL = served.url = f"http://{host}:{port}"
        yield served


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("twilio", *arguments, stdout=said)
    return said.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value)


def test_without_arguments_it_lists_the_numbers_and_says_what_comes_next(
    twilio: TwilioRest,
) -> None:
    said = run()
    assert "The tests' account" in said
    assert f"{names.CALLED}  goes to nowhere" in said
    assert said.rstrip().endswith(f"Next: manage.py twilio --number {names.CALLED}")


def test_it_points_a_number_here_with_a_second_chance_and_an_end(
    twilio: TwilioRest, ourselves: Ourselves
) -> None:
    said = run("--number", "+1 (500) 555-0001")
    row = twilio.number
    urls = [row[name].split("#") for name in ("voice_url", "voice_fallback_url", "status_callback")]
    assert [url for url, _ in urls] == [
        f"{ourselves.url}/twilio/{door}" for door in ("voice", "fallback", "status")
    ]
    assert {retries for _, retries in urls} == {"rc=5&rp=ct,rt,5xx"}
    assert Line.objects.filter(number=names.CALLED, business=None).exists()
    assert f"Next: call {names.CALLED}" in said
    assert "comes here" in run()


def test_a_number_can_be_a_businesses(twilio: TwilioRest) -> None:
    acme = Business.objects.create(name="Acme")
    run("--number", names.CALLED, "--business", "acme")
    assert Line.objects.get(number=names.CALLED).business == acme
    run("--number", names.CALLED)
    assert Line.objects.get(number=names.CALLED).business == acme
    assert "no business" in refused("--number", names.CALLED, "--business", "Nobody")


def test_a_number_of_somebody_else_is_not_touched(twilio: TwilioRest) -> None:
    assert f"it has: {names.CALLED}" in refused("--number", "+15550000000")
    assert twilio.number["voice_url"] == ""


def test_a_number_of_a_trunk_is_left_to_the_trunk(twilio: TwilioRest) -> None:
    twilio.number["trunk_sid"] = "TK1"
    assert "SIP trunk" in refused("--number", names.CALLED)
    assert twilio.number["voice_url"] == ""


def test_wrong_credentials_are_told_in_a_sentence(twilio: TwilioRest, settings: Any) -> None:
    settings.TWILIO_AUTH_TOKEN = "another"
    assert refused() == "Twilio does not accept TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."


@pytest.mark.parametrize(
    ("fails", "told"), [("500", "error 500"), ("429", "error 429"), ("page", "")]
)
def test_a_twilio_that_fails_is_told_in_a_sentence(
    twilio: TwilioRest, fails: str, told: str
) -> None:
    twilio.fails = fails
    sentence = refused()
    assert told in sentence
    assert "\n" not in sentence


def test_a_twilio_that_is_not_there_is_told_in_a_sentence(
    twilio: TwilioRest, settings: Any
) -> None:
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    assert "could not be reached" in refused()


@pytest.mark.parametrize(
    ("status", "told"),
    [(403, "another TWILIO_AUTH_TOKEN"), (404, "no telephone"), (301, "redirects"), (502, "proxy")],
)
def test_an_address_that_does_not_lead_here_is_told_apart(
    twilio: TwilioRest, ourselves: Ourselves, status: int, told: str
) -> None:
    ourselves.status = status
    assert told in refused()


def test_an_address_nobody_answers_at_is_told(twilio: TwilioRest, settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    assert "does not answer" in refused()


@pytest.mark.parametrize("name", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL"])
def test_what_is_not_set_is_named(twilio: TwilioRest, settings: Any, name: str) -> None:
    setattr(settings, name, "")
    assert refused() == f"{name} is not set."
