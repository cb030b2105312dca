"""Celery's consumer, whose events for Flower do not stand between a task and its child."""

from __future__ import annotations

import logging

from celery.worker import consumer

# Celery would publish each event before it hands the task on: a millisecond each.
GATHER_SECONDS = 0.25

logger = logging.getLogger("workers.consumer")


class Consumer(consumer.Consumer):  # type: ignore[misc]  # celery has no types
    """Publishes events a quarter of a second at a time, and outlives any loss of the broker."""

    _gathering = False

    def on_send_event_buffered(self) -> None:
        if self.hub and not self._gathering:
            self._gathering = True
            self.hub.call_later(GATHER_SECONDS, self._publish_gathered)

    def _publish_gathered(self) -> None:
        self._gathering = False
        self._flush_events()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of the lost connection, so that another can be made.

        Where kombu 5.7 could not close a channel at once it tries again without knowing the
        broker's address any more, and its AttributeError would end the whole worker. The
        connection is forgotten by then, and what it held unacknowledged is given back by age.
        """
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError as error:
            logger.warning("broker connection not closed well", extra={"error": str(error)})
            super().on_connection_error_after_connected(exc)
