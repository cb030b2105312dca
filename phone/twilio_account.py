"""The Twilio account of this service: its numbers, and where their calls go.

Imports Twilio's SDK (19 MB), so for commands alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from phone.signature import HEADER, public_url
from phone.twiml import PATIENTLY

SECONDS = 15.0
TWILIO = "https://api.twilio.com"
VOICE, FALLBACK, STATUS = "/twilio/voice", "/twilio/fallback", "/twilio/status"


class TwilioError(Exception):
    """The message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Number:
    sid: str
    number: str
    voice_url: str
    trunk: bool = False

    @property
    def is_here(self) -> bool:
        return self.voice_url.partition("#")[0] == public_url(VOICE)


class _Client(TwilioHttpClient):  # type: ignore[misc]  # it has no types
    """Asks TWILIO_API_URL instead of Twilio's own host."""

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        asked = url.replace(TWILIO, settings.TWILIO_API_URL.rstrip("/"), 1)
        return super().request(method, asked, *args, **options)


class Account:
    def __init__(self) -> None:
        self._sid = settings.TWILIO_ACCOUNT_SID
        self._client = Client(
            self._sid, settings.TWILIO_AUTH_TOKEN, http_client=_Client(timeout=SECONDS)
        )

    def name(self) -> str:
        """Raises TwilioError, for wrong credentials too."""
        with _told():
            account = self._client.api.accounts(self._sid).fetch()
            if account.status != "active":
                raise TwilioError(f"The Twilio account is {account.status}, so it takes no calls.")
            return str(account.friendly_name)

    def numbers(self) -> list[Number]:
        with _told():
            return [_number(row) for row in self._client.incoming_phone_numbers.list(limit=200)]

    def point_here(self, number: Number) -> Number:
        if number.trunk:
            raise TwilioError(f"{number.number} belongs to a SIP trunk; take it off that first.")
        with _told():
            row = self._client.incoming_phone_numbers(number.sid).update(
                voice_url=public_url(VOICE) + PATIENTLY,
                voice_method="POST",
                voice_fallback_url=public_url(FALLBACK) + PATIENTLY,
                voice_fallback_method="POST",
                status_callback=public_url(STATUS) + PATIENTLY,
                status_callback_method="POST",
                # It would come before the URL.
                voice_application_sid="",
            )
            return _number(row)


def _number(row: Any) -> Number:
    return Number(row.sid, row.phone_number, row.voice_url or "", bool(row.trunk_sid))


@contextmanager
def _told() -> Iterator[None]:
    """Within: whatever goes wrong at Twilio is one sentence."""
    host = urlsplit(settings.TWILIO_API_URL).hostname
    try:
        yield
    except TwilioRestException as error:
        if error.status in (401, 403):
            raise TwilioError(
                "Twilio does not accept TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
            ) from None
        raise TwilioError(f"Twilio answered with error {error.status}: {error.msg}") from None
    except requests.RequestException as error:
        raise TwilioError(f"{host} could not be reached ({type(error).__name__}).") from None
    except (TwilioException, ValueError):
        raise TwilioError(f"{host} answered something else than Twilio would.") from None


def reach_ourselves() -> None:
    """Ask PUBLIC_URL as Twilio would, about a call there is not; raises TwilioError."""
    url, form = public_url(STATUS), {"CallSid": "CA-of-no-call", "CallStatus": "completed"}
    proof = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(url, form)
    headers = {HEADER: proof}
    try:
        answer = requests.post(
            url, data=form, headers=headers, timeout=SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        kind = type(error).__name__
        raise TwilioError(f"{settings.PUBLIC_URL} does not answer ({kind}).") from None
    if answer.status_code != 204:
        why = _WHY.get(answer.status_code, f"answers {answer.status_code}")
        raise TwilioError(f"{settings.PUBLIC_URL} {why}.")


_REDIRECTS = "redirects, and Twilio's requests must arrive: set PUBLIC_URL to where it leads"
_WHY = {
    **dict.fromkeys((301, 302, 307, 308), _REDIRECTS),
    403: "is served with another TWILIO_AUTH_TOKEN or another PUBLIC_URL",
    404: "has no telephone: it was started without TWILIO_AUTH_TOKEN",
    **dict.fromkeys((502, 503), "is a proxy behind which nothing answers: start the server"),
}
