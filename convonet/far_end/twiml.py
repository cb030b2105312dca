"""TwiML documents: reading one, and what Twilio's pages say against it. Pure.

Source: https://www.twilio.com/docs/voice/twiml and the page of each verb and noun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree

MOST_BYTES = 64_000
MOST_SAID = 4096
MOST_NUMBERS = 10
MOST_PARAMETER = 500
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_E164 = re.compile(r"\+[1-9]\d{1,14}")


def _words(text: str) -> set[str]:
    return set(text.split())


_CALLED = {"url", "method", "statusCallback", "statusCallbackEvent", "statusCallbackMethod"}
_AMD = {"machineDetection", "machineDetectionTimeout", "amdStatusCallback"}
ATTRIBUTES: dict[str, set[str]] = {
    "Response": set(),
    "Say": {"voice", "loop", "language"},
    "Pause": {"length"},
    "Play": {"loop", "digits"},
    "Gather": _words(
        "action finishOnKey hints input language method numDigits partialResultCallback "
        "partialResultCallbackMethod profanityFilter speechTimeout timeout speechModel enhanced "
        "actionOnEmptyResult bargeIn debug"
    ),
    "Dial": _words(
        "action answerOnBridge callerId callReason hangupOnStar method record "
        "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent "
        "recordingTrack referMethod referUrl ringTone sequential timeLimit timeout trim"
    ),
    "Number": {*_CALLED, *_AMD, "sendDigits", "byoc"},
    "Sip": {*_CALLED, *_AMD, "username", "password"},
    "Client": {*_CALLED},
    "Connect": {"action", "method"},
    "Stream": {"url", "name", "track", "statusCallback", "statusCallbackMethod"},
    "Parameter": {"name", "value"},
    "Redirect": {"method"},
    "Hangup": set(),
    "Reject": {"reason"},
}
NESTED = {
    "Gather": {"Say", "Play", "Pause"},
    "Dial": {"Number", "Sip", "Client"},
    "Connect": {"Stream"},
    "Stream": {"Parameter"},
    "Client": {"Parameter"},
}
VERBS = {"Say", "Pause", "Play", "Gather", "Dial", "Connect", "Redirect", "Hangup", "Reject"}


class Broken(ValueError):
    """No TwiML at all (Twilio's error 12100): the caller hears an apology and the call ends."""


@dataclass(slots=True)
class Verb:
    """A verb or a noun within one."""

    name: str
    attributes: dict[str, str]
    text: str
    nouns: list[Verb] = field(default_factory=list)

    def number(self, name: str, default: float) -> float:
        try:
            return float(self.attributes[name])
        except (KeyError, ValueError):
            return default


@dataclass(slots=True)
class Document:
    verbs: list[Verb]
    faults: list[str]
    """What Twilio would warn of (12200, schema validation), a sentence each."""


def read(text: str) -> Document:
    """Raises Broken for what is no TwiML."""
    if len(text.encode()) > MOST_BYTES:
        raise Broken("the document is longer than 64 kB")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  # made by the server under test
    except ElementTree.ParseError as error:
        raise Broken(f"no XML: {error}") from None
    if root.tag != "Response":
        raise Broken(f"the root is <{root.tag}>, not <Response>")
    response = _verb(root)
    document = Document(response.nouns, [])
    _check(response, VERBS, document.faults)
    return document


def _verb(element: ElementTree.Element) -> Verb:
    nouns = [_verb(child) for child in element]
    return Verb(element.tag, dict(element.attrib), (element.text or "").strip(), nouns)


def _check(verb: Verb, allowed: set[str], faults: list[str]) -> None:
    unknown = set(verb.attributes) - ATTRIBUTES.get(verb.name, set())
    faults += [f"<{verb.name}> has no attribute {name!r}" for name in sorted(unknown)]
    faults += _faults_of(verb)
    for noun in verb.nouns:
        if noun.name in allowed:
            _check(noun, NESTED.get(noun.name, set()), faults)
        else:
            faults.append(f"<{noun.name}> does not belong into <{verb.name}>")


def _faults_of(verb: Verb) -> list[str]:
    match verb.name:
        case "Say":
            fits = 0 < len(verb.text) <= MOST_SAID
            return [] if fits else [f"<Say> has {len(verb.text)} characters"]
        case "Dial":
            return _faults_of_dial(verb)
        case "Stream":
            return _faults_of_stream(verb)
        case "Parameter":
            size = len(verb.attributes.get("name", "") + verb.attributes.get("value", ""))
            named = {"name", "value"} <= set(verb.attributes)
            return [] if named and size <= MOST_PARAMETER else ["<Parameter> is not as it must be"]
        case "Number":
            return [] if _E164.fullmatch(verb.text) else [f"<Number> {verb.text!r} is not E.164"]
        case "Redirect" if not verb.text:
            return ["<Redirect> names no URL"]
        case _:
            return []


def _faults_of_dial(verb: Verb) -> list[str]:
    faults = []
    if not verb.text and not verb.nouns:
        faults.append("<Dial> names nobody")
    if len(verb.nouns) > MOST_NUMBERS:
        faults.append("<Dial> has more than ten nouns")
    caller_id = verb.attributes.get("callerId")
    if caller_id is not None and not _E164.fullmatch(caller_id):
        faults.append("<Dial callerId> is not E.164")
    if not 5 <= verb.number("timeout", 30) <= 600:
        faults.append("<Dial timeout> is not 5 to 600 seconds")
    return faults


def _faults_of_stream(verb: Verb) -> list[str]:
    parts = urlsplit(verb.attributes.get("url", ""))
    faults = []
    # Twilio knows wss alone; a server on this machine has no certificate.
    if parts.scheme != "wss" and not (parts.scheme == "ws" and parts.hostname in LOOPBACK):
        faults.append("<Stream url> is not wss://")
    if parts.query:
        faults.append("<Stream url> has a query, which Twilio drops")
    if verb.attributes.get("track", "inbound_track") != "inbound_track":
        faults.append("<Connect><Stream> takes the inbound track alone")
    return faults
