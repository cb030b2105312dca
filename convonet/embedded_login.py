"""The embedded default's welcome: a first visitor on loopback is the demo user, and is told so."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class EmbeddedLoginMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
