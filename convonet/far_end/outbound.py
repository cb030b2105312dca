"""A call that Twilio places: it rings, somebody, something or nobody answers, then it goes on.

Sources: https://www.twilio.com/docs/voice/api/call-resource (parameters, status callbacks),
https://www.twilio.com/docs/voice/answering-machine-detection (AnsweredBy)
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from convonet.far_end.phone_call import Persona, PhoneCall
from convonet.far_end.webhooks import NoAnswer, Webhooks

Detection = Literal["", "Enable", "DetectMessageEnd"]
OUTCOMES = ("answers", "busy", "no-answer", "failed")
# https://www.twilio.com/docs/voice/answering-machine-detection: values of AnsweredBy.
MACHINES = {
    "Enable": ("human", "machine_start", "fax", "unknown"),
    "DetectMessageEnd": (
        "human",
        "machine_end_beep",
        "machine_end_silence",
        "machine_end_other",
        "fax",
        "unknown",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """Who is called. `answered_by` is what detection would find out."""

    outcome: str = "answers"
    answered_by: str = "human"
    rings_seconds: float = 2.0
    detection_seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome is none of {OUTCOMES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the request for the call wants beyond who and whom."""

    detection: Detection = ""
    asynchronous: bool = False
    detection_url: str = ""
    timeout_seconds: float = 60.0


async def place(
    call: PhoneCall, webhooks: Webhooks, callee: Callee, asked: Asked, person: Persona, pace: float
) -> None:
    """From `initiated` to the last status callback."""
    await _tell(call, "initiated", "initiated")
    await _tell(call, "ringing", "ringing")
    if not await _answers(callee, asked, pace):
        outcome = "no-answer" if callee.outcome == "answers" else callee.outcome
        await _tell(call, outcome, "completed")
        call.line.do("over")
        return
    call.answered()
    await _tell(call, "in-progress", "answered")
    detecting = asyncio.create_task(_detect(call, webhooks, callee, asked, pace))
    if not asked.asynchronous:
        await detecting
    try:
        await call.run(person)
    finally:
        detecting.cancel()


async def _tell(call: PhoneCall, status: str, event: str) -> None:
    call.status = status
    await call.tell_status(event)


async def _answers(callee: Callee, asked: Asked, pace: float) -> bool:
    rings = min(callee.rings_seconds, asked.timeout_seconds)
    if callee.outcome == "no-answer":
        rings = asked.timeout_seconds
    await asyncio.sleep(pace * rings)
    return callee.outcome == "answers" and callee.rings_seconds <= asked.timeout_seconds


async def _detect(
    call: PhoneCall, webhooks: Webhooks, callee: Callee, asked: Asked, pace: float
) -> None:
    """The result comes with the first request, or to a URL of its own."""
    if not asked.detection:
        return
    await asyncio.sleep(pace * callee.detection_seconds)
    found = {"AnsweredBy": found_out(asked.detection, callee.answered_by)}
    if not asked.asynchronous:
        call.extra |= found
        return
    took = str(round(1000 * callee.detection_seconds))
    try:
        told = {**call.parameters(), **found, "MachineDetectionDuration": took}
        await webhooks.ask(asked.detection_url, told)
    except NoAnswer as error:
        call.line.error(f"detection: {error}")


def found_out(detection: Detection, answered_by: str) -> str:
    """What this kind of detection can tell: `Enable` does not wait for a message's end."""
    if answered_by.startswith("machine") and detection == "Enable":
        return "machine_start"
    return answered_by if answered_by in MACHINES[detection] else "unknown"
