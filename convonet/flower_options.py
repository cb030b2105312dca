"""Flower's options, read by `convonet.flower_app`; its names are Flower's own.

A file and not the command line, so that the password is not to be seen in a process list.
"""

from __future__ import annotations

from convonet import settings

address = settings.FLOWER_ADDRESS
port = settings.FLOWER_PORT
basic_auth = [f"{settings.FLOWER_USER}:{settings.FLOWER_PASSWORD}"]
# The defaults (100,000 tasks, 5,000 workers) let an idle Flower grow until it is killed.
max_tasks = 1000
max_workers = 50
purge_offline_workers = 300
persistent = False
natural_time = True
