"""What was seen of the product's memory, kept for two days."""

from __future__ import annotations

from django.db import models


class MemorySample(models.Model):
    """One look at one machine. Memory in KiB."""

    class Why(models.TextChoices):
        CLOCK = "clock", "by the clock"
        CALLS = "calls", "a call began or ended"

    at = models.DateTimeField()
    host = models.CharField(max_length=64)
    why = models.CharField(max_length=8, choices=Why.choices)
    calls = models.PositiveIntegerField(null=True)
    size = models.BigIntegerField()
    limit = models.BigIntegerField(null=True)
    used = models.BigIntegerField(null=True)
    oom_kills = models.BigIntegerField(null=True)
    # {role: [processes, size, growth]}: all that the graph needs.
    roles = models.JSONField(default=dict)
    # [[pid, role, started, rss, uss, pss, base], …]
    processes = models.JSONField(default=list)
    # Totals so far of `convonet.counters`; of the machine that keeps the samples alone.
    counters = models.JSONField(default=dict)

    class Meta:
        verbose_name = "look at the memory"
        verbose_name_plural = "memory"
        indexes = [models.Index(fields=["at"], name="monitor_at")]
        constraints = [models.UniqueConstraint(fields=["host", "at"], name="monitor_once")]

    def __str__(self) -> str:
        return f"{self.host} {self.at:%Y-%m-%d %H:%M:%S}"
