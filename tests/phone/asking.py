"""Asks the telephone's doors as Twilio does, and reads what they say."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.test import Client

from convonet.far_end import twiml
from convonet.far_end.webhooks import signature

PUBLIC, TOKEN = "https://calls.example.org", "auth-token"
FORM = "application/x-www-form-urlencoded"
CALLED, CALLER = "+15550001000", "+15550002000"


def said(sid: str = "CA1", **more: str) -> dict[str, str]:
    """The parameters of a call, some of them empty, as Twilio sends them."""
    return {
        "CallSid": sid,
        "AccountSid": "AC1",
        "From": CALLER,
        "To": CALLED,
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "FromCity": "",
        **more,
    }


def post(path: str, form: dict[str, str], **headers: str) -> Any:
    """Signed for PUBLIC_URL, unless `X_Twilio_Signature` is given."""
    proof = {"X-Twilio-Signature": signature(TOKEN, PUBLIC + path, form)}
    proof |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().post(path, urlencode(form), content_type=FORM, headers=proof)


def verbs(answer: Any) -> list[twiml.Verb]:
    """What it says is to be done; fails for what Twilio would not take."""
    assert answer.status_code == 200, answer.status_code
    assert answer["Content-Type"].startswith("text/xml")
    document = twiml.read(answer.content.decode())
    assert document.faults == []
    return document.verbs


def names(answer: Any) -> list[str]:
    return [verb.name for verb in verbs(answer)]


def token_of(answer: Any) -> str:
    """The one that the `<Stream>` carries."""
    (stream,) = verbs(answer)[0].nouns
    assert stream.attributes["url"] == "wss://calls.example.org/twilio/media"
    (parameter,) = stream.nouns
    assert parameter.attributes["name"] == "token"
    return parameter.attributes["value"]
