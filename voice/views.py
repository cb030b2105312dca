"""The voice page, its login page, call tickets and spoken reminders; all small, none waits."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from todo.models import Reminder
from voice import keys, tickets
from voice.broker import broker

NO_TURN = "00000000-0000-0000-0000-000000000000"

View = Callable[..., HttpResponseBase]


def content_policy(host: str) -> str:
    """Nothing but our own files; sockets by name, as older browsers do not count them as 'self'."""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self' ws://{host} wss://{host}",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def own_files_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = content_policy(request.get_host())
        response["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
        return response

    return guarded


@own_files_only
@never_cache
@login_required
@ensure_csrf_cookie
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    name = request.user.get_username()
    return render(
        request,
        "voice/page.html",
        {
            "demo": settings.EMBEDDED_LOGIN and name == settings.DEMO_USERNAME,
            "turn_url": _turn_url(request),
            "costs_url": _costs_url(request),
        },
    )


def _turn_url(request: HttpRequest) -> str:
    """Where operators read a turn, with a placeholder for its id; empty for everyone else."""
    if not request.user.has_perm("voice.view_turn"):
        return ""
    try:
        return reverse("admin:voice_turn_change", args=[NO_TURN])
    except NoReverseMatch:
        return ""


def _costs_url(request: HttpRequest) -> str:
    """Where operators read what providers were asked and cost; empty for everyone else."""
    if not request.user.has_perm("voice.view_provideruse"):
        return ""
    try:
        return reverse("admin:voice_providers")
    except NoReverseMatch:
        return ""


login = own_files_only(
    LoginView.as_view(template_name="voice/login.html", redirect_authenticated_user=True)
)


@require_POST
@never_cache
def call_ticket(request: HttpRequest) -> JsonResponse:
    user_id = request.user.pk
    if user_id is None:
        return JsonResponse({"error": "You are signed out. Reload the page."}, status=403)
    ticket = tickets.issue(user_id)
    return JsonResponse({"ticket": ticket, "expires_seconds": tickets.LIFETIME_SECONDS})


@require_GET
@never_cache
def reminder_speech(request: HttpRequest, reminder_id: int) -> HttpResponse:
    """A due reminder as WAV; the sound lives only as long as its key in the broker."""
    if not Reminder.objects.filter(pk=reminder_id, owner_id=request.user.pk).exists():
        return JsonResponse({"error": "There is no such reminder."}, status=404)
    try:
        audio = broker().get(keys.reminder_audio(reminder_id))
    except redis.RedisError:
        return JsonResponse({"error": "The sound cannot be reached right now."}, status=503)
    if not isinstance(audio, bytes):
        return JsonResponse({"error": "This reminder has no sound (any more)."}, status=404)
    return HttpResponse(audio, content_type="audio/wav")
