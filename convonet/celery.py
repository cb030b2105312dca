"""The Celery application. The web process imports it to queue tasks by name and nothing more."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "convonet.settings")

app = Celery("convonet")
app.config_from_object("django.conf:settings", namespace="CELERY")
