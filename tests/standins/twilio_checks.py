"""What Twilio's REST API refuses, in its words: https://www.twilio.com/docs/api/errors."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

_E164 = re.compile(r"\+[1-9]\d{6,14}")
EVENTS = ("initiated", "ringing", "answered", "completed")
CALL_PARAMETERS = {
    *("To", "From", "Url", "Twiml", "ApplicationSid", "Method", "FallbackUrl", "FallbackMethod"),
    *("StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod", "SendDigits", "Timeout"),
    *("Record", "RecordingChannels", "Trim", "CallerId", "MachineDetection", "TimeLimit"),
    *("MachineDetectionTimeout", "MachineDetectionSpeechThreshold", "CallReason", "CallToken"),
    *("MachineDetectionSpeechEndThreshold", "MachineDetectionSilenceTimeout", "AsyncAmd"),
    *("AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod"),
}


class TwilioError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }


def not_found(path: str) -> TwilioError:
    return TwilioError(404, 20404, f"The requested resource {path} was not found")


def field(parameter: str) -> str:
    """`VoiceUrl` as its row names it: `voice_url`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).lower()


def url(name: str, value: str) -> None:
    """An absolute one; an empty one switches it off."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise TwilioError(400, 21205, f"{name} is not a valid URL: {value}")


def method(name: str, value: str) -> None:
    if value not in ("GET", "POST"):
        raise TwilioError(400, 21200, f"{name} must be GET or POST")


def new_call(parameters: dict[str, str], own_numbers: set[str]) -> None:
    """Raises for a request to place a call that Twilio does not take."""
    unknown = set(parameters) - CALL_PARAMETERS
    if unknown:
        raise TwilioError(400, 20001, f"Unknown parameter {min(unknown)}")
    _numbers(parameters, own_numbers)
    if not any(parameters.get(name) for name in ("Url", "Twiml", "ApplicationSid")):
        raise TwilioError(400, 21205, "Url parameter is required.")
    for name in ("Url", "FallbackUrl", "StatusCallback", "AsyncAmdStatusCallback"):
        url(name, parameters.get(name, ""))
    for name in parameters:
        if name.endswith("Method"):
            method(name, parameters[name])
    _detection(parameters)
    if not 5 <= int(parameters.get("Timeout", "60")) <= 600:
        raise TwilioError(400, 21200, "Timeout must be 5 to 600 seconds")


def _numbers(parameters: dict[str, str], own_numbers: set[str]) -> None:
    to, caller = parameters.get("To", ""), parameters.get("From", "")
    if not to:
        raise TwilioError(400, 21201, "No 'To' number is specified")
    if not caller:
        raise TwilioError(400, 21213, "No 'From' number is specified")
    if not _E164.fullmatch(to):
        raise TwilioError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    if not _E164.fullmatch(caller):
        raise TwilioError(400, 21212, f"The 'From' number {caller} is not a valid phone number.")
    if caller not in own_numbers:
        text = f"The source phone number provided, {caller}, is not yet verified for your account."
        raise TwilioError(400, 21210, text)


def _detection(parameters: dict[str, str]) -> None:
    if parameters.get("MachineDetection", "Enable") not in ("Enable", "DetectMessageEnd"):
        raise TwilioError(400, 21200, "MachineDetection must be Enable or DetectMessageEnd")
    if not 3 <= int(parameters.get("MachineDetectionTimeout", "30")) <= 59:
        raise TwilioError(400, 21200, "MachineDetectionTimeout must be 3 to 59 seconds")


def status_events(parameter: str) -> frozenset[str]:
    """Joined with spaces; `completed` when none is named."""
    events = frozenset(parameter.split()) or frozenset({"completed"})
    if unknown := events - set(EVENTS):
        raise TwilioError(400, 21626, f"Invalid StatusCallbackEvents: {min(unknown)}")
    return events
