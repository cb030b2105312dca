"""`manage.py twilio`: checks the Twilio account and points a number at this server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from phone.models import Line
from phone.present import is_installed
from voice.models import Business

if TYPE_CHECKING:
    from phone.twilio_account import Account, Number


class Command(BaseCommand):
    help = "Check the Twilio account and this server's address; point a number here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--number", help="point this number here, as +15551234567")
        parser.add_argument("--business", help="whose number it is: a business's name")

    def handle(self, *args: Any, **options: Any) -> None:
        _require_settings()
        from phone import twilio_account

        business = _business(options["business"])
        try:
            account = twilio_account.Account()
            self.stdout.write(f"Twilio account: {account.name()}")
            numbers = account.numbers()
            if options["number"]:
                number = _one(numbers, options["number"])
                self._point(account, number, business)
                twilio_account.reach_ourselves()
                self._pointed(number)
            else:
                self._list(numbers)
                twilio_account.reach_ourselves()
                self._listed(numbers)
        except twilio_account.TwilioError as error:
            raise CommandError(str(error)) from None

    def _list(self, numbers: list[Number]) -> None:
        for one in numbers:
            goes = "comes here" if one.is_here else f"goes to {one.voice_url or 'nowhere'}"
            self.stdout.write(f"  {one.number}  {goes}")

    def _point(self, account: Account, number: Number, business: Business | None) -> None:
        account.point_here(number)
        line, _ = Line.objects.get_or_create(number=number.number)
        if business is not None:
            line.business = business
            line.save(update_fields=["business"])
        whose = f", for {line.business}" if line.business else ""
        self.stdout.write(f"{number.number} comes here{whose}.")

    def _pointed(self, number: Number) -> None:
        self.stdout.write(f"{settings.PUBLIC_URL} takes Twilio's requests.")
        self.stdout.write(f"Next: call {number.number}.")
        if not settings.TWILIO_NUMBER:
            self.stdout.write(f"Set TWILIO_NUMBER={number.number} to have reminders call from it.")

    def _listed(self, numbers: list[Number]) -> None:
        self.stdout.write(f"{settings.PUBLIC_URL} takes Twilio's requests.")
        here = next((one for one in numbers if one.is_here), None)
        if here is not None:
            self.stdout.write(f"Next: call {here.number}.")
        elif numbers:
            self.stdout.write(f"Next: manage.py twilio --number {numbers[0].number}")
        else:
            self.stdout.write("Next: buy a number with voice at twilio.com, and run this again.")


def _require_settings() -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL"):
        if not getattr(settings, name):
            raise CommandError(f"{name} is not set.")
    if not is_installed():
        raise CommandError("The twilio package is not installed: LOCK=twilio make run.")


def _business(name: str | None) -> Business | None:
    if name is None:
        return None
    found = Business.objects.filter(name__iexact=name).first()
    if found is None:
        raise CommandError(f"There is no business {name!r}; make it in the admin first.")
    return found


def _one(numbers: list[Number], wanted: str) -> Number:
    from phone.calls import number_of
    from phone.twilio_account import TwilioError

    found = next((one for one in numbers if one.number == number_of(wanted)), None)
    if found is None:
        have = ", ".join(one.number for one in numbers) or "none"
        raise TwilioError(f"The account has no number {wanted}; it has: {have}.")
    return found
