"""What Flower runs on: `celery -A convonet.flower_app flower --conf=convonet/flower_options.py`.

Flower watches the broker and needs no task, model or Django; an application of its own saves it
a third of its memory.
"""

from __future__ import annotations

from celery import Celery

from convonet import settings
from monitor.lookout import FLOWER, Lookout, options_from

app = Celery("convonet", broker=settings.REDIS_URL)
app.conf.update(
    broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    accept_content=settings.CELERY_ACCEPT_CONTENT,
)

# Where Flower has a machine of its own, nobody else tells of that machine's memory.
Lookout(options_from(settings), FLOWER).start()
