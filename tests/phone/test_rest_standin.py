"""The stand-in of Twilio's REST API, asked by Twilio's own client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from convonet.far_end import names
from tests.standins.twilio_rest import TwilioRest, start

HANG_UP = "<Response><Say>Your reminder: water the plants.</Say><Hangup/></Response>"


class _Here(TwilioHttpClient):  # type: ignore[misc]  # carries no types
    """Twilio's client, sent to another address."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(
            method, url.replace("https://api.twilio.com", self._url), *args, **kwargs
        )


@pytest.fixture
async def service() -> AsyncIterator[tuple[TwilioRest, str]]:
    rest, listening, url = await start()
    async with listening:
        yield rest, url
        await rest.switchboard.hang_up()


async def ask(url: str, question: Callable[[Client], Any], token: str = names.AUTH_TOKEN) -> Any:
    """In a thread, as the client blocks."""

    def asked() -> Any:
        return question(Client(names.ACCOUNT, token, http_client=_Here(url)))

    return await asyncio.wait_for(asyncio.to_thread(asked), 60)


def place(to: str = "+15551230001", **more: Any) -> Callable[[Client], Any]:
    wanted = {"from_": names.CALLED, "twiml": HANG_UP, **more}
    return lambda client: client.calls.create(to=to, **wanted)


async def test_twilios_client_checks_the_account_and_points_the_number(
    service: tuple[TwilioRest, str],
) -> None:
    rest, url = service
    account = await ask(url, lambda c: c.api.accounts(names.ACCOUNT).fetch())
    assert account.status == "active"
    found = await ask(url, lambda c: c.incoming_phone_numbers.list(phone_number=names.CALLED))
    assert [number.phone_number for number in found] == [names.CALLED]
    voice_url = "https://voice.example.com/twilio/voice"
    await ask(url, lambda c: c.incoming_phone_numbers(found[0].sid).update(voice_url=voice_url))
    assert rest.number["voice_url"] == voice_url
    assert not await ask(url, lambda c: c.incoming_phone_numbers.list(phone_number="+15550000000"))


async def test_a_placed_call_is_conducted_to_its_end(service: tuple[TwilioRest, str]) -> None:
    rest, url = service
    events = ["initiated", "ringing", "answered", "completed"]
    call = await ask(url, place(status_callback_event=events, timeout=30))
    assert call.status == "queued"
    await asyncio.wait_for(rest.switchboard.finished(), 60)
    told = rest.switchboard.told()[0]
    assert told["status"] == "completed"
    assert told["told"] == ["Your reminder: water the plants."]
    fetched = await ask(url, lambda c: c.calls(call.sid).fetch())
    assert (fetched.status, fetched.direction) == ("completed", "outbound-api")


@pytest.mark.parametrize(
    ("outcome", "status"), [("busy", "busy"), ("no-answer", "no-answer"), ("failed", "failed")]
)
async def test_a_call_that_is_not_answered_says_why(
    service: tuple[TwilioRest, str], outcome: str, status: str
) -> None:
    rest, url = service
    rest.switchboard.configure({"callees": {"*": {"outcome": outcome}}})
    await ask(url, place())
    await asyncio.wait_for(rest.switchboard.finished(), 60)
    told = rest.switchboard.told()[0]
    assert told["status"] == status


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (place(to="not a number"), 21211),
        (place(from_="+15557654321"), 21210),
        (place(twiml=None), 21205),
        (place(twiml=None, url="ftp://example.com"), 21205),
        (place(status_callback_event=["never"]), 21626),
        (lambda client: client.calls("CA" + 32 * "0").fetch(), 20404),
    ],
)
async def test_what_twilio_refuses_is_refused_with_its_code(
    service: tuple[TwilioRest, str], request_: Callable[[Client], Any], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await ask(service[1], request_)
    assert refused.value.code == code


async def test_wrong_credentials_and_too_many_requests_are_told_apart(
    service: tuple[TwilioRest, str],
) -> None:
    rest, url = service
    with pytest.raises(TwilioRestException) as refused:
        await ask(url, lambda c: c.api.accounts(names.ACCOUNT).fetch(), token="wrong")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    rest.fails = "429"
    with pytest.raises(TwilioRestException) as refused:
        await ask(url, place())
    assert (refused.value.status, refused.value.code) == (429, 20429)


async def test_a_call_is_ended_while_it_rings(service: tuple[TwilioRest, str]) -> None:
    rest, url = service
    rest.switchboard.configure({"callees": {"*": {"rings_seconds": 60}}, "pace": 1.0})
    call = await ask(url, place())
    assert (await ask(url, lambda c: c.calls(call.sid).update(status="canceled"))).status == (
        "canceled"
    )
    with pytest.raises(TwilioRestException) as refused:
        await ask(url, lambda c: c.calls(call.sid).update(status="completed"))
    assert refused.value.code == 21220
