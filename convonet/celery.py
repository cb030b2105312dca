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

app = Celery("convonet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # Read by workers only: `imports` makes no import here.
    imports=("workers.tasks",),
    worker_pool="workers.pool:MeasuredPool",
    worker_consumer="workers.consumer:Consumer",
    # A child says that it is up after its warm-up, which on a busy machine takes a while.
    worker_proc_alive_timeout=60.0,
)


@signals.setup_logging.connect
def use_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody answers this signal."""
    from workers import preload

    logging.config.dictConfig(settings.LOGGING)
    preload.quieten()
