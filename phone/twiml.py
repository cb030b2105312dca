"""What Twilio is told to do with a call: the TwiML that several doors answer with."""

from __future__ import annotations

from urllib.parse import urlencode

from twilio.twiml.voice_response import VoiceResponse

from phone import calls, tokens
from phone.models import PhoneCall
from phone.signature import public_url

MEDIA = "/twilio/media"
NEXT = "/twilio/next"
# Asked again while a web process is replaced; Twilio does this unasked for lost connections alone.
# https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
PATIENTLY = "#rc=5&rp=ct,rt,5xx"
BUSY = "All lines are busy. Please call again in a minute."
NOT_ABLE = "I am not able to take calls right now. Please call again in a minute."


def say(response: VoiceResponse, text: str) -> None:
    """By Twilio's own voice: for when ours is not to be had, or another call comes first."""
    response.say(text)


def connect(phone: PhoneCall, *, saying: str = "", lost: str = "") -> VoiceResponse:
    """Bring the caller (back) to the agent, who begins with `saying`.

    `lost` is for `/twilio/next` alone: what it is to be told if this stream breaks too.
    """
    stream_number = calls.next_stream(phone, saying)
    response = VoiceResponse()
    stream = response.connect().stream(url=public_url(MEDIA, scheme="ws"))
    token = tokens.issue(str(phone.call_id), phone.sid, stream_number)
    stream.parameter(name="token", value=token)
    response.redirect(next_url(lost) + PATIENTLY, method="POST")
    return response


def next_url(lost: str = "") -> str:
    return public_url(NEXT + (f"?{urlencode({'lost': lost})}" if lost else ""))


def farewell(text: str = "") -> VoiceResponse:
    """Hang up, after a sentence if there is one."""
    response = VoiceResponse()
    if text:
        say(response, text)
    response.hangup()
    return response
