"""The addresses Twilio asks; none of them exists without a token."""

from __future__ import annotations

from django.urls import path

from phone import ringing_views, transfer_views, views

urlpatterns = [
    path("twilio/voice", views.voice, name="twilio_voice"),
    path("twilio/next", views.next_step, name="twilio_next"),
    path("twilio/fallback", views.fallback, name="twilio_fallback"),
    path("twilio/status", views.status, name="twilio_status"),
    path("twilio/dialled", transfer_views.dialled, name="twilio_dialled"),
    path("twilio/whisper", transfer_views.whisper, name="twilio_whisper"),
    path("twilio/accepted", transfer_views.accepted, name="twilio_accepted"),
    path("twilio/ring/<uuid:ringing_id>", ringing_views.ring, name="twilio_ring"),
    path("twilio/ring/<uuid:ringing_id>/status", ringing_views.status, name="twilio_ring_status"),
]
