"""What a person sets for the telephone, as the page's settings read and write it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from phone import pins, ringing, tries
from phone.models import E164, PhoneAccount, PhoneNumber
from todo.errors import Refused
from todo.requests import body, error

View = Callable[[HttpRequest, User], HttpResponseBase]
MOST_NUMBERS = 5

NOT_SAID = "Say what to change: whether reminders call you, or whether your calls are recorded."
NO_NUMBER = "Write the number with its country, like +1 555 123 4567."
TOO_MANY = f"You can call from {MOST_NUMBERS} numbers at most. Remove one first."
NO_PIN = "A PIN is four to six digits."
GUESSABLE = "That PIN is among the first that anybody would try. Please choose another."


def for_person(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return error("Please log in first.", 403)
        try:
            return view(request, user)
        except Refused as refusal:
            return error(refusal.sentence, refusal.status)

    return guarded


@require_http_methods(["GET", "PUT"])
@never_cache
@for_person
def account(request: HttpRequest, user: User) -> HttpResponseBase:
    if request.method == "PUT":
        PhoneAccount.objects.update_or_create(owner=user, defaults=_wishes(body(request)))
    return JsonResponse(_shape(user))


@require_http_methods(["POST", "DELETE"])
@never_cache
@for_person
def numbers(request: HttpRequest, user: User) -> HttpResponseBase:
    """`{"number": …}`: added or removed."""
    sent = body(request).get("number")
    number = written(sent if isinstance(sent, str) else "")
    own, _made = PhoneAccount.objects.get_or_create(owner=user)
    if request.method == "DELETE":
        own.numbers.filter(number=number).delete()
    elif not own.numbers.filter(number=number).exists():
        if own.numbers.count() >= MOST_NUMBERS:
            raise Refused(TOO_MANY)
        PhoneNumber.objects.get_or_create(account=own, number=number)
    return JsonResponse(_shape(user))


@require_http_methods(["PUT", "DELETE"])
@never_cache
async def pin(request: HttpRequest) -> HttpResponseBase:
    """`{"pin": …}`: set, or with DELETE forgotten. The hash is made beside the requests' thread."""
    user = await request.auser()
    if not isinstance(user, User):
        return error("Please log in first.", 403)
    try:
        kept = await _hashed(body(request)) if request.method == "PUT" else ""
    except Refused as refusal:
        return error(refusal.sentence, refusal.status)
    await _keep_pin(user, kept)
    return JsonResponse(await sync_to_async(_shape)(user))


def written(text: str) -> str:
    """E.164 of a number as people write it; raises Refused."""
    number = "".join(c for c in text[:60] if c not in " -()./\u00a0")
    if number.startswith("00"):
        number = f"+{number[2:]}"
    try:
        E164(number)
    except ValidationError:
        raise Refused(NO_NUMBER) from None
    return number


# Inside -------------------------------------------------------------------------------------------
async def _hashed(sent: dict[str, Any]) -> str:
    wanted = sent.get("pin")
    if not isinstance(wanted, str) or not pins.is_pin(wanted):
        raise Refused(NO_PIN)
    if pins.is_guessable(wanted):
        raise Refused(GUESSABLE)
    return await pins.hashed_aside(wanted)


@sync_to_async
def _keep_pin(user: User, kept: str) -> None:
    """Whoever sets it is known: wrong tries of others count no more."""
    set_at = timezone.now() if kept else None
    own, _made = PhoneAccount.objects.update_or_create(
        owner=user, defaults={"pin": kept, "pin_set_at": set_at}
    )
    tries.lift(tries.of_account(own.pk))


def _wishes(sent: dict[str, Any]) -> dict[str, Any]:
    known = {"rings", "recorded"}
    if not sent or not set(sent) <= known:
        raise Refused(NOT_SAID)
    if not isinstance(sent.get("rings", True), bool):
        raise Refused(NOT_SAID)
    if sent.get("recorded", "never") not in PhoneAccount.Recorded.values:
        raise Refused(NOT_SAID)
    return sent


def _shape(user: User) -> dict[str, Any]:
    own = PhoneAccount.objects.filter(owner=user).first() or PhoneAccount(owner=user)
    found = own.numbers.values_list("number", flat=True) if own.pk else ()
    return {
        "numbers": list(found),
        "has_pin": bool(own.pin),
        "rings": own.rings,
        "can_ring": ringing.is_possible(),
        "recorded": own.recorded,
    }
