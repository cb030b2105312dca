"""The doors Twilio knocks at: what is not signed is turned away, what goes wrong is spoken."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from twilio.twiml.voice_response import VoiceResponse

from phone import twiml
from phone.refusals import Refusals
from phone.signature import is_from_twilio

logger = logging.getLogger(__name__)

View = Callable[..., VoiceResponse | HttpResponse]
refusals = Refusals(logger, "request not signed by Twilio")


def signed(view: View) -> Callable[..., HttpResponse]:
    """For Twilio's POSTs alone. A view answers TwiML; whatever it raises becomes a sentence."""

    @csrf_exempt
    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.TWILIO_AUTH_TOKEN:
            return HttpResponse(status=404)
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        if not is_from_twilio(request):
            refusals.note(path=request.path)
            return HttpResponse(status=403)
        try:
            return _answer(view(request, *args, **kwargs))
        except Exception:
            # Top of the request: a 500 would have Twilio read an error of its own to the caller.
            logger.exception("telephone request failed", extra={"path": request.path})
            return _answer(twiml.farewell(twiml.NOT_ABLE))

    return door


def _answer(response: VoiceResponse | HttpResponse) -> HttpResponse:
    if isinstance(response, HttpResponse):
        return response
    return HttpResponse(str(response), content_type="text/xml; charset=utf-8")
