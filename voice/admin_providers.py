"""Providers for operators: how each did and what it cost, and every single question to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from convonet import configured, prices
from convonet.configured import Stage
from voice import usage
from voice.admin_base import DayFilter, ReadOnly
from voice.asked import with_turns
from voice.models import ProviderUse
from voice.usage import Figures, Spread
from voice.uses import STOPPED
from voice.uses_told import cost, count, dollars, reason, seconds, summed

PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
MOST_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A provider's figures as words."""

    label: str
    models: str
    asked: str
    stopped: str
    failed: str
    """Empty when it never did."""
    reasons: str
    stood_in: str
    first: str
    whole: str
    amounts: str
    cost: str
    link: str


class UseDayFilter(DayFilter):
    field = "at"


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("answered", "Answered"), ("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "failed":
            return queryset.exclude(error__in=["", STOPPED])
        return queryset.filter(error="") if self.value() == "answered" else queryset


class ProviderFilter(admin.SimpleListFilter):
    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = {one.name for stage in configured.stages() for one in stage.candidates}
        asked = request.GET.get(self.parameter_name)
        return [(name, name) for name in sorted(names | ({asked} if asked else set()))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


@admin.register(ProviderUse)
class ProviderUseAdmin(ReadOnly):
    list_display = ("outcome", "asked", "model", "why", "first", "took", "price", "where", "at")
    list_filter = (UseDayFilter, OutcomeFilter, ProviderFilter, "stage", "why")
    list_per_page = 50
    list_fullwidth = True
    ordering = ("-pk",)
    # Neither the call nor the turn by name: a turn's name is what the caller said.
    exclude = ("call", "turn")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderUse]:
        return with_turns(super().get_queryset(request))

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.providers)
        return [path("providers/", page, name="voice_providers"), *super().get_urls()]

    def providers(self, request: HttpRequest) -> HttpResponse:
        """The page that tells how every provider did."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | page_of(request)
        return TemplateResponse(request, "admin/voice/providers.html", context)

    @display(description="Outcome", label={"answered": "success", "failed": "danger"})  # type: ignore[untyped-decorator]
    def outcome(self, use: ProviderUse) -> tuple[str, str]:
        if not use.error:
            return "answered", "answered"
        kind = "stopped" if use.error == STOPPED else "failed"
        return kind, reason(use.error)

    @display(description="Asked", ordering="provider")  # type: ignore[untyped-decorator]
    def asked(self, use: ProviderUse) -> str:
        return f"{configured.label_of(use.stage, use.provider)}, {use.get_stage_display()}"

    @display(description="First", ordering="first_ms")  # type: ignore[untyped-decorator]
    def first(self, use: ProviderUse) -> str:
        return "–" if use.first_ms is None else seconds(use.first_ms)

    @display(description="In all", ordering="took_ms")  # type: ignore[untyped-decorator]
    def took(self, use: ProviderUse) -> str:
        return seconds(use.took_ms)

    @display(description="Cost", ordering="cost_micro_usd")  # type: ignore[untyped-decorator]
    def price(self, use: ProviderUse) -> str:
        return cost([use.cost_micro_usd])

    @display(description="Turn")  # type: ignore[untyped-decorator]
    def where(self, use: Any) -> str:
        if use.turn_number is None:
            return "–"
        page = turn_page(use.turn_found)
        return format_html('<a href="{}">turn {}</a>', page, use.turn_number)


def page_of(request: HttpRequest) -> dict[str, Any]:
    chosen = request.GET.get("over", "day")
    over = chosen if chosen in PERIODS else "day"
    since = timezone.now() - PERIODS[over]
    figures = usage.figures(since)
    asked = sum(one.asked for one in figures)
    unpriced = sum(one.unpriced for one in figures)
    may_see_turns = request.user.has_perm("voice.view_turn")
    failed = with_turns(usage.failures(since))[:MOST_FAILURES]
    return {
        "title": "Providers",
        "periods": [{"name": name, "chosen": name == over} for name in PERIODS],
        "over": over,
        "stages": [(stage, _rows(stage, figures)) for stage in configured.stages()],
        "questions": count(asked, "question"),
        "capped": asked >= usage.MOST_QUESTIONS,
        "cost": dollars(sum(one.cost_micro_usd for one in figures)),
        "unpriced": count(unpriced, "question") if unpriced else "",
        "answers": f"{usage.MOST_ANSWERS:,}",
        "failures": [_failure(use, may_see_turns) for use in failed],
        "every_question": reverse("admin:voice_provideruse_changelist"),
        "sources": prices.SOURCES,
    }


def turn_page(turn_id: Any) -> str:
    return reverse("admin:voice_turn_change", args=[turn_id])


def _rows(stage: Stage, figures: list[Figures]) -> list[Row]:
    return [_row(one) for one in figures if one.stage == stage.name]


def _row(one: Figures) -> Row:
    reasons = [f"{many:,} × {reason(code)}" for code, many in one.reasons.most_common()]
    asked = urlencode({"stage__exact": one.stage, "provider": one.provider})
    return Row(
        label=configured.label_of(one.stage, one.provider),
        models=", ".join(model for model, _ in one.models.most_common(5)),
        asked=f"{one.asked:,}",
        stopped=f"{one.stopped:,} × {reason(STOPPED)}" if one.stopped else "",
        failed=f"{one.failed:,}" if one.failed else "",
        reasons=", ".join(reasons[:5]),
        stood_in=f"{one.stood_in:,}" if one.stood_in else "",
        first=_spread(one.first),
        whole=_spread(one.whole),
        amounts=_amounts(one),
        cost=summed(one.cost_micro_usd, one.unpriced),
        link=f"{reverse('admin:voice_provideruse_changelist')}?{asked}",
    )


def _spread(spread: Spread | None) -> str:
    return f"{seconds(spread.median)} / {seconds(spread.ninth)}" if spread else "–"


def _amounts(one: Figures) -> str:
    parts = [
        f"{one.tokens_in:,} in, {one.tokens_out:,} out" if one.tokens_in or one.tokens_out else "",
        f"{one.audio_ms / 60_000:,.1f} min of speech" if one.audio_ms else "",
        count(one.characters, "character") if one.characters else "",
    ]
    return ", ".join(part for part in parts if part) or "–"


def _failure(use: Any, may_see_turns: bool) -> dict[str, Any]:
    linked = may_see_turns and use.turn_number is not None
    return {
        "at": use.at,
        "stage": use.get_stage_display(),
        "provider": configured.label_of(use.stage, use.provider),
        "reason": reason(use.error),
        "code": use.error,
        "turn": use.turn_number,
        "link": turn_page(use.turn_found) if linked else "",
    }
