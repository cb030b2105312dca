"""What Flower runs on: `celery -A convonet.flower_app flower --conf=convonet/flower_options.py`.

Flower watches the broker and needs no task, model or Django; an application of its own saves it
a third of its memory.
"""

from __future__ import annotations

from celery import Celery

from convonet import settings

app = Celery("convonet", broker=settings.REDIS_URL)
app.conf.update(
    broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    accept_content=settings.CELERY_ACCEPT_CONTENT,
)
