"""The person's choices as the page's settings read and write them, and voices to listen to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from todo.errors import Refused
from todo.requests import body, error
from voice import choices, envelope
from voice.broker import broker
from voice.models import CallPreferences
from voice.preferences import business_of
from voice.samples import NotMade, Samples, TooMany

View = Callable[..., HttpResponseBase]
SPEAK_EXPIRES_SECONDS = 20

NOT_OFFERED = "This server does not offer that. Choose one of those shown."
NOT_SAID = "Say who answers or which voice, each as text."
TOO_MANY = "That was a lot of listening. Try again in a minute."
NOT_SPOKEN = "This voice did not speak. Try again in a moment, or choose another."
NO_BROKER = "Voices cannot be heard right now. Try again in a minute."


def for_person(view: View) -> View:
    """Give the view its person; strangers, refusals and a lost broker become one sentence each."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return error("Please log in first.", 403)
        try:
            return view(request, user)
        except Refused as refusal:
            return error(refusal.sentence, refusal.status)
        except redis.RedisError:
            return error(NO_BROKER, 503)

    return guarded


@require_http_methods(["GET", "PUT"])
@never_cache
@for_person
def preferences(request: HttpRequest, user: User) -> HttpResponseBase:
    if request.method == "PUT":
        _choose(user, body(request))
    return JsonResponse(_shape(user))


@require_POST
@never_cache
@for_person
def voice_sample(request: HttpRequest, user: User) -> HttpResponseBase:
    """The WAV of one voice; 202 while it is being made."""
    voice = _offered_voice(body(request).get("voice"), user)
    try:
        wav = Samples(broker(), _order).get(voice, user.pk)
    except TooMany:
        return error(TOO_MANY, 429)
    except NotMade:
        return error(NOT_SPOKEN, 502)
    if wav is None:
        return JsonResponse({"state": "making"}, status=202)
    return HttpResponse(wav, content_type="audio/wav")


def _choose(user: User, sent: dict[str, Any]) -> None:
    may = {"language_model": choices.may_answer, "voice": choices.may_speak}
    if not sent or not set(sent) <= set(may):
        raise Refused(NOT_SAID)
    for field, value in sent.items():
        if not isinstance(value, str):
            raise Refused(NOT_SAID)
        if value and not may[field](value):
            raise Refused(NOT_OFFERED)
    CallPreferences.objects.update_or_create(owner=user, defaults=sent)


def _offered_voice(voice: Any, user: User) -> str:
    """What to let be heard: without a name the voice that speaks without a choice of one's own."""
    if voice == "":
        return choices.voice_left(business_of(user.pk)).value
    if not isinstance(voice, str) or not choices.may_speak(voice):
        raise Refused(NOT_OFFERED)
    return voice


def _order(voice: str) -> None:
    task = envelope.sealed("speak_sample", voice, expires_seconds=SPEAK_EXPIRES_SECONDS)
    broker().lpush(envelope.queue_of("speak_sample"), task)


def _shape(user: User) -> dict[str, Any]:
    own = CallPreferences.objects.filter(owner=user).first() or CallPreferences()
    model, voice = choices.effective(own)
    business = business_of(user.pk)
    # A choice that has no effect any more still comes before the business's.
    answer = choices.answer_left(None if own.language_model and not model else business)
    spoken = choices.voice_left(None if own.voice and not voice else business)
    return {
        "language_model": model,
        "voice": voice,
        "language_models": {
            "left_to": answer.to,
            "now": answer.label,
            "options": [
                {"name": option.name, "label": option.label, "reason": option.reason}
                for option in choices.answerers(staff=user.is_staff)
            ],
        },
        "voices": {
            "left_to": spoken.to,
            "now": spoken.label,
            "groups": [_group(group) for group in choices.voice_groups(staff=user.is_staff)],
        },
        "prefer_local": settings.PREFER_LOCAL,
    }


def _group(group: choices.VoiceGroup) -> dict[str, Any]:
    return {
        "label": group.label,
        "reason": group.reason,
        "voices": [{"name": voice.key, "label": voice.label} for voice in group.voices],
    }
