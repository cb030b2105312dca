"""Only what Twilio signed comes in, under the address it knows, whatever a proxy makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client, override_settings

from convonet.far_end.webhooks import signature
from phone import doors, front
from phone.refusals import MOST_LINES, Refusals
from phone.signature import is_signed, is_stream_from_twilio, public_url
from tests.phone.asking import PUBLIC, TOKEN, post, said
from voice.models import Call

pytestmark = [pytest.mark.django_db, pytest.mark.urls("phone.urls")]
DOORS = ["voice", "next", "fallback", "status"]


@pytest.fixture(autouse=True)
def telephone(settings: Any) -> None:
    settings.PUBLIC_URL, settings.TWILIO_AUTH_TOKEN = PUBLIC, TOKEN
    settings.EMBEDDED_LOGIN = False


def refused(answer: Any) -> bool:
    return bool(answer.status_code == 403 and answer.content == b"")


# The views' own door ----------------------------------------------------------------------------
@pytest.mark.parametrize("door", DOORS)
def test_a_door_opens_to_the_right_signature_alone(door: str) -> None:
    path, form = f"/twilio/{door}", said()
    assert post(path, form).status_code in (200, 204)
    assert refused(post(path, form, X_Twilio_Signature=""))
    assert refused(post(path, form, X_Twilio_Signature="bm90IHRoZSByaWdodCBvbmUhISE="))
    assert refused(post(path, form, X_Twilio_Signature=signature("another", PUBLIC + path, form)))


def test_what_is_forged_does_nothing() -> None:
    post("/twilio/voice", said(), X_Twilio_Signature="bm90IHRoZSByaWdodCBvbmUhISE=")
    assert not Call.objects.exists()


def test_a_signature_is_of_one_address() -> None:
    of_status = signature(TOKEN, f"{PUBLIC}/twilio/status", said())
    assert refused(post("/twilio/voice", said(), X_Twilio_Signature=of_status))
    assert refused(post("/twilio/status?a=1", said(), X_Twilio_Signature=of_status))
    elsewhere = signature(TOKEN, "https://other.example.org/twilio/status", said())
    assert refused(post("/twilio/status", said(), X_Twilio_Signature=elsewhere))


def test_a_signature_is_of_all_parameters() -> None:
    right = signature(TOKEN, f"{PUBLIC}/twilio/voice", said())
    assert refused(post("/twilio/voice", said(From="+15551111111"), X_Twilio_Signature=right))
    assert refused(post("/twilio/voice", said(More="1"), X_Twilio_Signature=right))
    assert not refused(post("/twilio/voice", said(), X_Twilio_Signature=right))


def test_the_query_is_signed_with_the_address() -> None:
    assert not refused(post("/twilio/next?lost=1.2", said()))
    other = signature(TOKEN, f"{PUBLIC}/twilio/next?lost=9.2", said())
    assert refused(post("/twilio/next?lost=1.2", said(), X_Twilio_Signature=other))


def test_a_body_that_is_no_form_is_refused() -> None:
    """Its parameters are none, and so would be any signature's of the address alone."""
    of_nothing = {"X-Twilio-Signature": signature(TOKEN, f"{PUBLIC}/twilio/voice", {})}
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        body = json.dumps(said())
        answer = Client().generic("POST", "/twilio/voice", body, kind, headers=of_nothing)
        assert refused(answer)


def test_what_is_not_posted_is_not_answered() -> None:
    assert Client().get("/twilio/voice").status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_Proto": "http", "X_Forwarded_Host": "inner", "X_Forwarded_Port": "8000"},
        {"Forwarded": "host=inner;proto=http"},
        {"X_Forwarded_Host": "attacker.example.org"},
    ],
)
def test_what_a_proxy_says_of_the_host_changes_nothing(headers: dict[str, str]) -> None:
    """The test client speaks plain http to `testserver`; the signature is of PUBLIC_URL."""
    assert not refused(post("/twilio/voice", said(), **headers))


def test_the_public_address_may_have_a_port_and_a_path() -> None:
    with override_settings(PUBLIC_URL="https://example.org:8443/talk/"):
        assert public_url("/twilio/voice") == "https://example.org:8443/talk/twilio/voice"
        assert public_url("/twilio/media", scheme="ws").startswith("wss://example.org:8443/talk/")


def test_it_is_the_signature_that_twilio_documents() -> None:
    """The example of https://www.twilio.com/docs/usage/security#validating-requests."""
    from django.http import QueryDict

    form = QueryDict(
        "CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234"
        "&From=%2B12349013030&To=%2B18005551212"
    )
    with override_settings(PUBLIC_URL="https://mycompany.com", TWILIO_AUTH_TOKEN="12345"):
        right = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
        assert is_signed("/myapp.php", "foo=1&bar=2", form, right)
        assert not is_signed("/myapp.php", "foo=1&bar=3", form, right)


def test_the_handshake_of_a_stream_is_signed_too() -> None:
    url = "wss://calls.example.org/twilio/media"

    def scope(proof: str) -> dict[str, Any]:
        return {"path": "/twilio/media", "headers": [(b"x-twilio-signature", proof.encode())]}

    assert is_stream_from_twilio(scope(signature(TOKEN, url, {})))
    assert not is_stream_from_twilio(scope(signature("another", url, {})))
    assert not is_stream_from_twilio({"path": "/twilio/media", "headers": []})


# Before Django ----------------------------------------------------------------------------------
class Inner:
    """Django, as far as the front is concerned."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.bodies.append((await receive())["body"])


async def knock(
    inner: Inner, path: str, parts: list[bytes], headers: dict[str, str], method: str = "POST"
) -> int | None:
    """The status that the front itself answered with."""
    left = [
        {"type": "http.request", "body": part, "more_body": n + 1 < len(parts)}
        for n, part in enumerate(parts)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await front.front(inner, inner)(scope, receive, send)
    return sent[0]["status"] if sent else None


BODY = b"CallSid=CA1&From=%2B15550002000&Empty="
FORM = {"CallSid": "CA1", "From": "+15550002000", "Empty": ""}
KIND = "application/x-www-form-urlencoded"


def headers(path: str, **more: str) -> dict[str, str]:
    proof = signature(TOKEN, PUBLIC + path, FORM)
    return {"Host": "inner:8000", "Content-Type": KIND, "X-Twilio-Signature": proof, **more}


async def test_what_is_signed_goes_on_under_the_public_name_with_its_body() -> None:
    inner = Inner()
    path = "/twilio/next?lost=1.2"
    assert await knock(inner, path, [BODY[:9], BODY[9:]], headers(path)) is None
    assert inner.bodies == [BODY]
    (scope,) = inner.scopes
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"calls.example.org"]


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({"X-Twilio-Signature": "bm90IHRoZSByaWdodCBvbmUhISE="}, BODY),
        ({"X-Twilio-Signature": ""}, BODY),
        ({"X-Twilio-Signature": "\xff\xfe"}, BODY),
        ({"Content-Type": "application/json"}, BODY),
        ({}, BODY + b"&More=1"),
        ({}, b"x" * (front.BODY_BYTES + 1)),
        ({}, b"&".join(b"a%d=1" % n for n in range(2000))),
        ({}, b"\xff\xfe=1"),
    ],
)
async def test_what_is_not_signed_never_reaches_django(change: dict[str, str], body: bytes) -> None:
    inner = Inner()
    assert await knock(inner, "/twilio/voice", [body], headers("/twilio/voice", **change)) == 403
    assert inner.scopes == []


async def test_other_pages_and_questions_go_on_untouched() -> None:
    inner = Inner()
    await knock(inner, "/healthz", [b""], {"Host": "inner"}, "GET")
    await knock(inner, "/login/", [b"a=1"], {"Host": "inner"})
    await knock(inner, "/twilio/voice", [b""], {"Host": "inner"}, "GET")
    assert [dict(scope["headers"])[b"host"] for scope in inner.scopes] == [b"inner"] * 3


# Log lines --------------------------------------------------------------------------------------
def test_a_flood_is_logged_in_a_few_lines_with_its_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [100.0]
    refusals = Refusals(doors.logger, "refused", clock=lambda: now[0])
    for _ in range(1000):
        refusals.note(path="/twilio/voice")
    assert len(caplog.records) == MOST_LINES
    now[0] += 61
    refusals.note(path="/twilio/voice")
    assert len(caplog.records) == MOST_LINES + 1
    assert vars(caplog.records[-1])["untold_before"] == 1000 - MOST_LINES
