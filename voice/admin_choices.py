"""Who answers people and in which voice: what an operator chooses for a business or a person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from convonet import configured, voices
from todo.actor import known_zone
from todo.tools.toolsets import tools
from voice import choices, scope
from voice.models import Business, CallPreferences

Choices = list[tuple[str, str]]


def language_models() -> Choices:
    """Those that this server asks, and what any of them lacks."""
    asked = {*settings.LANGUAGE_MODELS, choices.LOCAL}
    options = [one for one in choices.answerers(staff=True) if one.name in asked]
    return [(one.name, _with(one.label, one.reason)) for one in options]


def offered_voices() -> Choices:
    return [
        (voice.key, choices.voice_label(voice.key))
        for voice in voices.offered(settings.SYNTHESIZERS)
    ]


def guest_tools() -> Choices:
    """Those that a business may open to callers nobody knows."""
    return [(tool.name, tool.title) for tool in tools() if tool.name not in scope.ALWAYS]


class ChoiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Offers what this server can do; what was chosen earlier stays until somebody changes it."""

    language_model = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    voice = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    nothing = "the server's default"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offers = {"language_model": language_models(), "voice": offered_voices()}
        for name in offers.keys() & self.fields.keys():
            field: Any = self.fields[name]
            field.choices = _choices(self.nothing, offers[name], getattr(self.instance, name))


class BusinessForm(ChoiceForm):
    guest_tools = forms.MultipleChoiceField(
        required=False,
        choices=guest_tools,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What callers may use who have not said who they are; their todos are shared.",
    )

    class Meta:
        model = Business
        fields = (
            *("name", "members", "language_model", "voice"),
            *("greeting", "time_zone", "hours", "guest_tools", "emergency_key"),
            *("records_calls", "consent"),
        )
        help_texts = {
            "members": "A person who is in several businesses gets the choices of the oldest.",
            "time_zone": "Of the hours, for example Europe/Berlin; empty: the server's.",
        }

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"])
        if name and known_zone(name) is None:
            raise forms.ValidationError("There is no such time zone; write Europe/Berlin or UTC.")
        return name


class PreferencesForm(ChoiceForm):
    nothing = "what their business or else the server uses"

    class Meta:
        model = CallPreferences
        fields = ("owner", "language_model", "voice")


class Chooser(ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    """The rows of both kinds, with the choices told in words."""

    helps = {
        "language_model": "Who answers. When it fails, the server asks the next one it is told to.",
        "voice": "In a language that this voice does not speak, another of its engine does.",
    }

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        for name in self.helps.keys() & form.base_fields.keys():
            form.base_fields[name].help_text = self.helps[name]
        return form

    @display(description="Language model")  # type: ignore[untyped-decorator]
    def answers(self, row: Business | CallPreferences) -> str:
        return configured.label_of("think", row.language_model) if row.language_model else "–"

    @display(description="Voice")  # type: ignore[untyped-decorator]
    def speaks(self, row: Business | CallPreferences) -> str:
        return choices.voice_label(row.voice) or row.voice or "–"


@admin.register(Business)
class BusinessAdmin(Chooser):
    form = BusinessForm
    list_display = ("name", "people", "answers", "speaks")
    search_fields = ("name", "members__username")
    autocomplete_fields = ("members",)
    fieldsets = (
        (None, {"fields": ("name", "members")}),
        ("Answers", {"fields": ("language_model", "voice")}),
        (
            "Telephone",
            {"fields": ("greeting", "time_zone", "hours", "guest_tools", "emergency_key")},
        ),
        ("Recording", {"fields": ("records_calls", "consent")}),
    )

    @display(description="Members")  # type: ignore[untyped-decorator]
    def people(self, business: Business) -> int:
        return business.members.count()


@admin.register(CallPreferences)
class CallPreferencesAdmin(Chooser):
    form = PreferencesForm
    list_display = ("owner", "answers", "speaks")
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
    autocomplete_fields = ("owner",)


def _choices(nothing: str, offers: Choices, kept: str) -> Choices:
    left = [] if not kept or kept in dict(offers) else [(kept, f"{kept} (no longer offered)")]
    return [("", f"Not chosen: {nothing}"), *offers, *left]


def _with(label: str, lacks: str) -> str:
    return f"{label} (not now: {lacks})" if lacks else label
