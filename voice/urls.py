"""Addresses of the voice page and of the requests it makes about calls."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from voice import choice_views, views

urlpatterns = [
    path("", views.page, name="page"),
    path("login/", views.login, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("call/ticket", views.call_ticket, name="call_ticket"),
    path("reminders/<int:reminder_id>/speech.wav", views.reminder_speech, name="reminder_speech"),
    path("preferences/", choice_views.preferences, name="preferences"),
    path("preferences/sample/", choice_views.voice_sample, name="voice_sample"),
]
