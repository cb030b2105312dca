"""Tells the board what this process has counted and noted, along with what it sends anyhow."""

from __future__ import annotations

from typing import Any

import redis

from convonet import counters
from monitor import board
from workers import endings


def execute(pipe: Any) -> None:
    """Execute a pipeline with this process's counts in it; raises RedisError, and keeps them then.

    Counts whose answer got lost may be told twice.
    """
    counted, ended = counters.take(), endings.take()
    board.count(pipe, counted)
    board.tell_endings(pipe, ended)
    try:
        pipe.execute()
    except redis.RedisError:
        counters.give_back(counted)
        endings.give_back(ended)
        raise
