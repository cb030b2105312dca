"""Numbers, who calls from which, who can be connected, and what became of it.

Numbers are E.164 ("+15551234567").
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from phone.storage import recordings
from todo.models import Reminder
from voice.models import Business, Call

E164 = RegexValidator(r"^\+[1-9]\d{6,14}$", "Write it with the country, like +15551234567.")


class Line(models.Model):
    """A number that people call, and whose it is."""

    number = models.CharField(max_length=16, unique=True, validators=[E164])
    business = models.ForeignKey(
        Business, on_delete=models.CASCADE, null=True, blank=True, related_name="lines"
    )

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.number


class PhoneAccount(models.Model):
    """What a person set for the phone: the PIN that shows who calls, and what they wish."""

    class Recorded(models.TextChoices):
        BUSINESS = "business", "as the business decides"
        NEVER = "never", "never"
        ALWAYS = "always", "always"

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="phone_account"
    )
    pin = models.CharField(max_length=160, blank=True, help_text="A keyed hash; empty: none set.")
    pin_set_at = models.DateTimeField(null=True, blank=True)
    rings = models.BooleanField(default=False, help_text="Reminders call this person.")
    recorded = models.CharField(max_length=8, choices=Recorded, default=Recorded.BUSINESS)

    def __str__(self) -> str:
        return f"phone of {self.owner}"


class PhoneNumber(models.Model):
    """A number a person calls from; several people may share one."""

    account = models.ForeignKey(PhoneAccount, on_delete=models.CASCADE, related_name="numbers")
    number = models.CharField(max_length=16, validators=[E164])

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="number_once_per_account")
        ]
        indexes = [models.Index(fields=["number"], name="accounts_of_number")]

    def __str__(self) -> str:
        return self.number


class FailedTries(models.Model):
    """Wrong PINs in a row, of a calling number or of an account."""

    subject = models.CharField(
        max_length=40, unique=True, help_text="“number:+1555…” or “account:7”."
    )
    count = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "failed tries"

    def __str__(self) -> str:
        return self.subject


class PhoneCall(models.Model):
    """The telephone's side of a call."""

    class Direction(models.TextChoices):
        INBOUND = "inbound", "they called"
        OUTBOUND = "outbound", "we called"

    call = models.OneToOneField(
        Call, on_delete=models.CASCADE, primary_key=True, related_name="phone"
    )
    sid = models.CharField(max_length=40, unique=True, help_text="Twilio's name of the call.")
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.INBOUND)
    line = models.ForeignKey(Line, on_delete=models.SET_NULL, null=True, blank=True)
    ours = models.CharField(max_length=16, blank=True, help_text="The number on our side.")
    theirs = models.CharField(max_length=16, blank=True, help_text="Empty when withheld.")
    streams = models.PositiveSmallIntegerField(
        default=0, help_text="How many media streams it has had."
    )
    saying = models.CharField(
        max_length=300, blank=True, help_text="What the next media stream begins with."
    )
    status = models.CharField(max_length=20, blank=True, help_text="The last Twilio told.")
    seconds = models.PositiveIntegerField(null=True, blank=True, help_text="As Twilio bills it.")

    def __str__(self) -> str:
        return self.sid


class Department(models.Model):
    """People of a business who can be asked for by its name."""

    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="departments")
    name = models.CharField(max_length=60)
    also_called = models.CharField(
        max_length=200, blank=True, help_text="Other words for it, with commas between."
    )
    hours = models.CharField(max_length=200, blank=True, help_text="Empty: as the business.")
    is_emergency = models.BooleanField(default=False)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [models.UniqueConstraint(fields=["business", "name"], name="department_once")]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """Somebody of a department; they are tried in order."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=60)
    number = models.CharField(max_length=120, help_text="+15551234567 or sip:name@example.com")
    hours = models.CharField(max_length=200, blank=True, help_text="Empty: as the department.")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.name


class Transfer(models.Model):
    """One wish to be connected, and how far it got."""

    class State(models.TextChoices):
        WANTED = "wanted", "wanted"
        DIALLING = "dialling", "dialling"
        TALKING = "talking", "connected"
        DONE = "done", "done"
        MISSED = "missed", "nobody answered"
        ABANDONED = "abandoned", "the caller hung up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="transfers")
    department = models.ForeignKey(Department, on_delete=models.SET_NULL, null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Told to who picks up.")
    emergency = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=State, default=State.WANTED)
    tried = models.JSONField(default=list, help_text="Contacts dialled and what came of each.")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.department or 'nobody'}: {self.get_state_display()}"


class Ringing(models.Model):
    """A reminder that calls its owner: one row for all its tries."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        PLACING = "placing", "being placed"
        RINGING = "ringing", "ringing"
        ANSWERED = "answered", "answered"
        VOICEMAIL = "voicemail", "told to a machine"
        GIVEN_UP = "given_up", "given up"
        CANCELLED = "cancelled", "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reminder = models.OneToOneField(Reminder, on_delete=models.CASCADE, related_name="ringing")
    number = models.CharField(max_length=16, validators=[E164])
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="When it is due to be looked at again.")
    sid = models.CharField(max_length=40, blank=True, help_text="Twilio's name of the last try.")
    outcome = models.CharField(max_length=40, blank=True, help_text="Of the last try.")
    call = models.ForeignKey(Call, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_at"], name="ringings_due")]

    def __str__(self) -> str:
        return f"{self.reminder}: {self.get_state_display()}"


class Recording(models.Model):
    """A call as it was heard: stereo WAV, the caller left, the agent right."""

    class State(models.TextChoices):
        GROWING = "growing", "being recorded"
        KEPT = "kept", "kept"
        LOST = "lost", "lost"

    call = models.OneToOneField(
        Call, on_delete=models.CASCADE, primary_key=True, related_name="recording"
    )
    state = models.CharField(max_length=7, choices=State, default=State.GROWING)
    parts = models.PositiveIntegerField(default=0, help_text="Pieces stored so far.")
    file = models.FileField(storage=recordings, blank=True, max_length=200)
    audio_format = models.CharField(max_length=20, default="mulaw/8000")
    ms = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    began_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-began_at"]

    def __str__(self) -> str:
        return f"recording of {self.call}"
