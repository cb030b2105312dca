"""`/metrics`, for Prometheus: figures only, and only for who knows the token."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from monitor import client, prometheus

logger = logging.getLogger(__name__)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_see(request.headers.get("Authorization", "")):
        answer = HttpResponse("A token is needed.\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = 'Basic realm="metrics"'
        return answer
    state = client.state()
    if state is None:
        answer = HttpResponse("The broker does not answer.\n", status=503)
    else:
        answer = HttpResponse(prometheus.text(state, settings.ADMIT_BELOW_PERCENT))
    answer["Content-Type"] = prometheus.CONTENT_TYPE
    answer["Cache-Control"] = "no-store"
    return answer


def may_see(authorization: str) -> bool:
    """The token as `Bearer TOKEN`, or as the password of METRICS_USER (`Basic …`)."""
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return _same(shown.strip(), settings.METRICS_TOKEN)
    if scheme.lower() != "basic":
        return False
    try:
        pair = base64.b64decode(shown, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return _same(pair, f"{settings.METRICS_USER}:{settings.METRICS_TOKEN}")


def _same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(), expected.encode())
