"""Celery's consumer, whose events for Flower do not stand between a task and its child."""

from __future__ import annotations

from celery.worker import consumer

# Celery would publish each event before it hands the task on: a millisecond each.
GATHER_SECONDS = 0.25


class Consumer(consumer.Consumer):  # type: ignore[misc]  # celery has no types
    """Publishes the events of a quarter of a second at once."""

    _gathering = False

    def on_send_event_buffered(self) -> None:
        if self.hub and not self._gathering:
            self._gathering = True
            self.hub.call_later(GATHER_SECONDS, self._publish_gathered)

    def _publish_gathered(self) -> None:
        self._gathering = False
        self._flush_events()
