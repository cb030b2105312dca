"""The embedded default's welcome: a first visitor on loopback is the demo user, and is told so.

A login without a password, so everything must say that the visitor sits at this machine: the
address, the name asked for, no proxy in between, and a page opened by a person.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.deprecation import MiddlewareMixin

# Set by proxies; a request that carries one was made by someone else, somewhere else.
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_TRUE_CLIENT_IP",
)
# The admin and the login page are where somebody else logs in; probes need no session.
CLOSED = ("/admin/", "/healthz", "/metrics", "/static/")
SESSION_MARK = "embedded_login"
"""Session key that the page reads to say that the visitor was logged in as the demo user."""


class EmbeddedLoginMiddleware(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        if not settings.EMBEDDED_LOGIN or not is_welcome(request):
            return
        if request.user.is_authenticated:
            return
        demo = get_user_model().objects.filter(username=settings.DEMO_USERNAME).first()
        if demo is None or not demo.is_active or demo.is_staff:
            return
        login(request, demo, backend="django.contrib.auth.backends.ModelBackend")
        request.session[SESSION_MARK] = True


def is_welcome(request: HttpRequest) -> bool:
    """True for a page asked for, by GET, by a browser on this machine."""
    return (
        request.method == "GET"
        and _is_page(request)
        and _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and _is_loopback(_host_name(request))
        and not any(header in request.META for header in FORWARDED)
    )


def _is_page(request: HttpRequest) -> bool:
    # Browsers say what a request is for: only a page in a tab of its own counts, no frame or image.
    if request.META.get("HTTP_SEC_FETCH_DEST", "document") != "document":
        return False
    return not request.path.startswith((*CLOSED, resolve_url(settings.LOGIN_URL)))


def _host_name(request: HttpRequest) -> str:
    host = str(request.META.get("HTTP_HOST", ""))
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.split(":")[0]
    return name.lower()


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
