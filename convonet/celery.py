"""The Celery application. The web process imports it to queue tasks by name and nothing more."""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convonet.settings")
# Checks run at the start of the product; here they would load every page into each worker.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

from django.conf import settings

FIRE_SECONDS = 5.0
DAY_SECONDS = 86_400.0
JOIN_SECONDS = 30.0

app = Celery("convonet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # Read by workers only: `imports` makes no import here.
    imports=("workers.tasks",),
    worker_pool="workers.pool:MeasuredPool",
    worker_consumer="workers.consumer:Consumer",
    # A child says that it is up after its warm-up, which on a busy machine takes a while.
    worker_proc_alive_timeout=60.0,
    beat_scheduler="workers.beat:OneScheduler",
    beat_schedule_filename=str(settings.VAR_DIR / "beat-schedule"),
    beat_schedule={
        "fire due reminders": {
            "task": "workers.tasks.fire_due_reminders",
            "schedule": FIRE_SECONDS,
            # When all children are busy, sweeps shall not pile up behind the turns.
            "options": {"queue": "agent", "expires": FIRE_SECONDS},
        },
        "join recordings": {
            "task": "workers.tasks.join_recordings",
            "schedule": JOIN_SECONDS,
            "options": {"queue": "agent", "expires": JOIN_SECONDS},
        },
        "delete old records": {
            "task": "workers.tasks.delete_old_records",
            "schedule": DAY_SECONDS,
            "options": {"queue": "agent", "expires": DAY_SECONDS},
        },
    },
)


@signals.setup_logging.connect
def use_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody answers this signal."""
    from workers import preload

    logging.config.dictConfig(settings.LOGGING)
    preload.quieten()
