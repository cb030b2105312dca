"""The page's requests as JSON: who asks, in which zone, what they sent, and errors as sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone

from todo.actor import actor_for
from todo.errors import Refused

View = Callable[..., HttpResponseBase]
MOST_BODY_BYTES = 64 * 1024
# The page sends the zone of its browser, so that "tomorrow" is the person's tomorrow.
ZONE_HEADER = "X-Time-Zone"


def error(sentence: str, status: int) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)


def for_person(action: View) -> View:
    """Give the view its actor; strangers and refusals become one sentence each."""

    @wraps(action)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return error("Please log in first.", 403)
        zone = request.headers.get(ZONE_HEADER, "")
        try:
            actor = actor_for(user, timezone.now(), time_zone=zone)
            return action(request, actor, *args, **kwargs)
        except Refused as refusal:
            return error(refusal.sentence, refusal.status)

    return view


def body(request: HttpRequest) -> dict[str, Any]:
    """Raises Refused unless the request carries one JSON object."""
    if len(request.body) > MOST_BODY_BYTES:
        raise Refused("That is too much at once.")
    try:
        sent = json.loads(request.body or b"{}")
    except ValueError:
        raise Refused("That was not valid JSON.") from None
    if not isinstance(sent, dict):
        raise Refused("A JSON object was expected.")
    return sent
