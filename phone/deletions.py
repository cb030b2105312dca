"""What goes with a row when it is deleted: a recording's file."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from phone import recordings
from phone.models import Recording


@receiver(post_delete, sender=Recording)
def forget_file(instance: Recording, **_: Any) -> None:
    """With its call as well; not before that is certain."""
    # Its keys are gone from the instance by then.
    call_id, name = str(instance.call_id), instance.file.name or ""
    transaction.on_commit(partial(recordings.delete_files, call_id, name))
