"""The admin's frame: its sidebar, and the front page with today's numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from voice import usage
from voice.models import Call, Turn
from voice.uses_told import dollars

# Above this the wait for the first sound is felt as a pause.
SLOW_MS = 1000


def style(request: HttpRequest) -> str:
    return static("convonet/admin.css")


def flower_url(request: HttpRequest) -> str:
    host = request.get_host().rsplit(":", 1)[0]
    return f"http://{host}:{settings.FLOWER_PORT}/"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What the person may see, in the order an operator asks for it."""
    user = request.user
    calls = [
        _item(user, "Calls", "call", "voice", "call"),
        _item(user, "Turns", "forum", "voice", "turn"),
        _item(user, "Recordings", "voicemail", "phone", "recording"),
        _item(user, "Providers", "hub", "voice", "provideruse", page="admin:voice_providers"),
        _item(user, "Memory", "memory", "monitor", "memorysample"),
    ]
    telephone = [
        _item(user, "Telephone calls", "phone_in_talk", "phone", "phonecall"),
        _item(user, "Transfers", "phone_forwarded", "phone", "transfer"),
        _item(user, "Ringing reminders", "notifications_active", "phone", "ringing"),
        _item(user, "Departments", "support_agent", "phone", "department"),
        _item(user, "Lines", "dialpad", "phone", "line"),
        _item(user, "Callers", "contact_phone", "phone", "phoneaccount"),
        _item(user, "Failed PINs", "lock", "phone", "failedtries"),
    ]
    kept = [
        _item(user, "Todos", "checklist", "todo", "todo"),
        _item(user, "Lists", "lists", "todo", "todolist"),
        _item(user, "Reminders", "notifications", "todo", "reminder"),
        _item(user, "Changes", "history", "todo", "change"),
    ]
    people = [
        _item(user, "People", "group", "auth", "user"),
        _item(user, "Groups", "badge", "auth", "group"),
        _item(user, "Businesses", "storefront", "voice", "business"),
        _item(user, "Call preferences", "tune", "voice", "callpreferences"),
    ]
    elsewhere: list[dict[str, Any] | None] = [
        {"title": "Voice page", "icon": "mic", "link": reverse("page"), "active": False},
    ]
    if user.is_superuser:
        flower = {"title": "Workers (Flower)", "icon": "eco", "link": flower_url(request)}
        elsewhere.append({**flower, "active": False})
    groups = [
        *(("Calls", calls), ("Telephone", telephone), ("Kept", kept)),
        *(("People", people), ("Elsewhere", elsewhere)),
    ]
    return [
        {"title": title, "separator": True, "items": [item for item in items if item]}
        for title, items in groups
        if any(items)
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds today's numbers; the Flower password only for superusers."""
    if request.user.has_perm("voice.view_call"):
        context |= {"numbers": _numbers(), "troubles": _troubles()}
    if request.user.has_perm("voice.view_provideruse"):
        context["numbers"] = [*context.get("numbers", []), _cost()]
    if request.user.is_superuser:
        context["flower"] = {
            "url": flower_url(request),
            "user": settings.FLOWER_USER,
            "password": settings.FLOWER_PASSWORD,
        }
    return context


def _item(
    user: User | AnonymousUser, title: str, icon: str, app: str, model: str, page: str = ""
) -> dict[str, Any] | None:
    """`page` is shown instead of the model's list; to the same people."""
    if not user.has_perm(f"{app}.view_{model}"):
        return None
    return {
        "title": title,
        "icon": icon,
        "link": reverse(page or f"admin:{app}_{model}_changelist"),
    }


def _today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _numbers() -> list[dict[str, Any]]:
    turns = Turn.objects.filter(created_at__gte=_today())
    waits = [ms for ms in turns.values_list("first_audio_ms", flat=True) if ms is not None]
    heard = round(median(waits)) if waits else None
    failed = turns.filter(state=Turn.State.FAILED).count()
    day_ago = timezone.now() - timedelta(days=1)
    now = Call.objects.filter(ended_at=None, started_at__gte=day_ago).count()
    calls, turn_list = (
        reverse("admin:voice_call_changelist"),
        reverse("admin:voice_turn_changelist"),
    )
    return [
        {"label": "Calls now", "value": now, "link": f"{calls}?kind=live"},
        {
            "label": "Calls today",
            "value": Call.objects.filter(started_at__gte=_today()).count(),
            "link": f"{calls}?day=today",
        },
        {"label": "Turns today", "value": turns.count(), "link": f"{turn_list}?day=today"},
        {
            "label": "Failed today",
            "value": failed,
            "bad": failed > 0,
            "link": f"{turn_list}?day=today&kind=failed",
        },
        {
            "label": "End of speech to first sound",
            "value": f"{heard / 1000:.2f} s" if heard is not None else "–",
            "bad": heard is not None and heard > SLOW_MS,
            "link": f"{turn_list}?day=today&kind=slow",
        },
    ]


def _cost() -> dict[str, Any]:
    spent = dollars(usage.cost_micro_usd(_today()))
    link = reverse("admin:voice_providers")
    return {"label": "Estimated cost today", "value": spent, "link": link}


def _troubles() -> list[Turn]:
    failed = Turn.objects.filter(state=Turn.State.FAILED).select_related("call__user")
    return list(failed.order_by("-created_at")[:5])
