"""Who a caller is until they have said so: a user of the business who can do and see nothing."""

from __future__ import annotations

from django.contrib.auth.models import User

from voice.models import Business


def guest_of(business: Business | None) -> User:
    name = f"guest-{business.pk}" if business else "guest"
    # The second cannot be taken by anybody: no form lets brackets through.
    for username in (name, f"({name})"):
        guest, made = User.objects.get_or_create(username=username)
        if made:
            guest.set_unusable_password()
            guest.save(update_fields=["password"])
        if not (guest.has_usable_password() or guest.is_staff):
            return guest
    raise RuntimeError(f"{name} can log in, so no caller may be taken for them")
