"""The addresses Twilio asks, and those of the page's settings; none exists without a token."""

from __future__ import annotations

from django.urls import path

from phone import account_views, ringing_views, transfer_views, views

urlpatterns = [
    path("phone/account/", account_views.account, name="phone_account"),
    path("phone/account/numbers/", account_views.numbers, name="phone_numbers"),
    path("phone/account/pin/", account_views.pin, name="phone_pin"),
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
