"""A message of Celery's as a lane runs it: what the worker's parent reads from it, read here.

Protocol 2 in the wrapping of kombu's Redis transport, as in `voice.envelope`. Pure.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One task to be run, with what `celery.app.trace.fast_trace_task` takes."""

    task: str
    task_id: str
    request: dict[str, Any]
    body: bytes
    content_type: str
    content_encoding: str
    eta: datetime | None
    expires: datetime | None
    args: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """As Celery's own request has it."""
        return self.task

    @classmethod
    def parse(cls, raw: bytes, hostname: str) -> Message:
        """Raises ValueError for what is no such message."""
        try:
            return cls._parse(json.loads(raw), hostname)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("This is no message of Celery's.") from error

    @classmethod
    def _parse(cls, message: dict[str, Any], hostname: str) -> Message:
        headers, properties = message["headers"], message["properties"]
        body = message["body"]
        encoded = properties.get("body_encoding") == "base64"
        payload = base64.b64decode(body) if encoded else body.encode()
        told = properties.get("delivery_info") or {}
        request = headers | {
            "properties": properties,
            "reply_to": properties.get("reply_to"),
            "correlation_id": properties.get("correlation_id"),
            "hostname": hostname,
            "delivery_info": {
                "exchange": told.get("exchange"),
                "routing_key": told.get("routing_key"),
                "priority": properties.get("priority"),
                "redelivered": told.get("redelivered", False),
            },
        }
        return cls(
            headers["task"],
            headers["id"],
            request,
            payload,
            message["content-type"],
            message["content-encoding"],
            _moment(headers.get("eta")),
            _moment(headers.get("expires")),
            tuple(json.loads(payload)[0]),
        )

    def expired(self, now: datetime) -> bool:
        return self.expires is not None and now > self.expires

    def early_seconds(self, now: datetime) -> float:
        """How long it may not begin yet; 0 when it may."""
        return 0.0 if self.eta is None else max(0.0, (self.eta - now).total_seconds())


def _moment(text: str | None) -> datetime | None:
    """Celery's times are UTC where they do not say otherwise."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
