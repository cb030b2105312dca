"""Calls, their turns and the tool calls of a turn: what operators read and nothing may lose.

The web process writes a `Turn` when the caller's speech ends and its outcome when playout ends;
the agent worker writes everything between.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from todo.models import Reminder


def _guest_tools() -> list[str]:
    return ["transfer_to_person"]


class Business(models.Model):
    """People who share this service; its choices hold for members who made none themselves."""

    name = models.CharField(max_length=80, unique=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="businesses", blank=True
    )
    language_model = models.CharField(max_length=80, blank=True)
    voice = models.CharField(max_length=80, blank=True)
    # On the phone.
    greeting = models.CharField(
        max_length=200, blank=True, help_text="The first sentence a caller hears."
    )
    time_zone = models.CharField(max_length=64, blank=True)
    hours = models.CharField(
        max_length=200,
        blank=True,
        help_text="When people can be reached, for example “mon-fri 09:00-17:00”; empty: always.",
    )
    guest_tools = models.JSONField(
        default=_guest_tools,
        blank=True,
        help_text="What callers may use who have not said who they are: names of tools.",
    )
    emergency_key = models.BooleanField(
        default=False, help_text="The key # connects to the emergency department at once."
    )
    records_calls = models.BooleanField(default=False)
    consent = models.CharField(
        max_length=200, blank=True, help_text="Said before a call is recorded."
    )

    class Meta:
        verbose_name_plural = "businesses"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CallPreferences(models.Model):
    """Who answers a person and in which voice; empty leaves it to their business or the server."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="call_preferences"
    )
    language_model = models.CharField(
        max_length=80, blank=True, help_text="A name from convonet.providers.LANGUAGE."
    )
    voice = models.CharField(
        max_length=80, blank=True, help_text="provider/voice, for example openai/alloy."
    )

    class Meta:
        verbose_name_plural = "call preferences"

    def __str__(self) -> str:
        return f"call preferences of {self.owner}"


class Call(models.Model):
    """One socket from accept to close; on the phone one call, which may have several."""

    class Channel(models.TextChoices):
        BROWSER = "browser", "browser"
        COMMAND = "command", "command line"
        PHONE = "phone", "phone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calls"
    )
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.BROWSER)
    business = models.ForeignKey(
        Business, on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    identified = models.BooleanField(
        default=True, help_text="The caller has shown to be this person; else a guest's rights."
    )
    about_reminder = models.ForeignKey(
        Reminder, on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    time_zone = models.CharField(max_length=64, blank=True)
    audio_format = models.CharField(max_length=20, default="pcm16/16000")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=40, blank=True)
    audio_in_ms = models.PositiveIntegerField(default=0)
    dropped_chunks = models.PositiveIntegerField(default=0)
    served_by = models.CharField(max_length=32, blank=True, help_text="The web process it is in.")
    served_at = models.DateTimeField(
        null=True, blank=True, help_text="When that process was last known to live."
    )

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["user", "-started_at"], name="calls_of_user"),
            models.Index(
                fields=["served_at"], name="calls_live", condition=models.Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.started_at:%d %b %H:%M}"


class Turn(models.Model):
    """One exchange: what the caller said, what was done, what the caller heard."""

    class State(models.TextChoices):
        TRANSCRIBING = "transcribing", "transcribing"
        WAITING = "waiting", "waiting for a worker"
        THINKING = "thinking", "thinking"
        SPEAKING = "speaking", "speaking"
        DONE = "done", "done"
        INTERRUPTED = "interrupted", "interrupted"
        FAILED = "failed", "failed"

    class Source(models.TextChoices):
        VOICE = "voice", "voice"
        TYPED = "typed", "typed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField(help_text="1 for the first turn of the call.")
    source = models.CharField(max_length=6, choices=Source, default=Source.VOICE)
    state = models.CharField(max_length=12, choices=State, default=State.TRANSCRIBING)
    transcript = models.TextField(blank=True)
    reply = models.TextField(blank=True)
    heard = models.TextField(blank=True, help_text="The part of the reply the caller heard.")
    error = models.CharField(max_length=60, blank=True)
    # Counts the workers that took the turn, and fences: only the last one may write.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=120, blank=True)
    queued_at = models.DateTimeField(
        null=True, blank=True, help_text="When a worker was last asked for; empty once it came."
    )
    utterance_id = models.CharField(max_length=36, blank=True)
    model_name = models.CharField(max_length=80, blank=True)
    language = models.CharField(
        max_length=10, blank=True, help_text="ISO 639-1, as far as the recogniser told it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Milliseconds since the end of the caller's speech (typed: since the text arrived).
    transcript_ms = models.PositiveIntegerField(null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    first_audio_ms = models.PositiveIntegerField(null=True, blank=True)
    utterance_ms = models.PositiveIntegerField(default=0, help_text="Length of the caller's audio.")

    class Meta:
        ordering = ["call", "number"]
        constraints = [
            models.UniqueConstraint(fields=["call", "number"], name="turn_number_once_per_call")
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="turns_by_state"),
            models.Index(
                fields=["lease_until"],
                name="turns_held",
                condition=models.Q(lease_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.transcript[:60] or f"turn {self.number}"


class Checkpoint(models.Model):
    """How far the agent has come in a turn; deleted when the turn is over."""

    turn = models.OneToOneField(
        Turn, on_delete=models.CASCADE, primary_key=True, related_name="checkpoint"
    )
    messages = models.TextField(help_text="JSON: the messages since the caller's words.")
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"checkpoint of {self.turn_id}"


class ToolCall(models.Model):
    """One tool the agent ran in a turn, with what the tool answered."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tool_calls")
    tool_call_id = models.CharField(max_length=80)
    name = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict)
    result = models.JSONField(null=True, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    ok = models.BooleanField(null=True)
    started_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["turn", "started_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["turn", "tool_call_id"], name="tool_call_once_per_turn")
        ]

    def __str__(self) -> str:
        return self.summary or self.name


class ProviderUse(models.Model):
    """One question to a provider: who was asked, why that one, what came of it, what it took."""

    class Stage(models.TextChoices):
        HEAR = "hear", "hearing"
        THINK = "think", "thinking"
        SPEAK = "speak", "speaking"

    class Why(models.TextChoices):
        SERVER = "server", "the server's default"
        BUSINESS = "business", "chosen for the business"
        USER = "user", "chosen by the person"
        SURE = "sure", "a command the local grammar is sure of"
        FALLBACK = "fallback", "the one before it failed"

    # No database constraint: fillers and announcements are spoken for no call and no turn.
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="uses"
    )
    turn = models.ForeignKey(
        Turn, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="uses"
    )
    utterance_id = models.CharField(max_length=36, blank=True)
    stage = models.CharField(max_length=5, choices=Stage)
    provider = models.CharField(max_length=80)
    model = models.CharField(max_length=80, blank=True)
    why = models.CharField(max_length=8, choices=Why, default=Why.SERVER)
    error = models.CharField(max_length=60, blank=True, help_text="Empty when it answered.")
    first_ms = models.PositiveIntegerField(
        null=True, help_text="To the first word or the first sound."
    )
    took_ms = models.PositiveIntegerField(default=0)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    audio_ms = models.PositiveIntegerField(default=0)
    characters = models.PositiveIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(
        null=True, help_text="Estimate in millionths of a dollar; empty when no price is known."
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "question to a provider"
        verbose_name_plural = "questions to providers"
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["at"], name="uses_by_time"),
            models.Index(fields=["utterance_id"], name="uses_of_utterance"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} by {self.provider}"
