"""What a process holds, counted when it is asked by a signal: objects by type, threads, blocks.

For the leak test alone: without `CONVONET_CENSUS`, a directory, no process answers, and none can
be asked. Standard library only, for every process of the product may be asked.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

VARIABLE = "CONVONET_CENSUS"
# Neither Celery, nor uvicorn, nor Twisted, nor supervisord has any use for it in a child.
SIGNAL = signal.SIGUSR2


def answer_when_asked() -> None:
    """In the main thread of a process, which its forks inherit; does nothing in normal runs."""
    if os.environ.get(VARIABLE) and threading.current_thread() is threading.main_thread():
        signal.signal(SIGNAL, _answer)


def file_of(directory: Path, pid: int) -> Path:
    return directory / f"{pid}.json"


def take() -> dict[str, Any]:
    """After a collection; what was frozen before a fork is not counted, as it cannot grow."""
    gc.collect()
    kinds = Counter(map(type, gc.get_objects()))
    types: Counter[str] = Counter()
    for kind, number in kinds.items():
        types[f"{kind.__module__}.{kind.__qualname__}"] += number
    return {
        "objects": sum(types.values()),
        "types": types,
        "blocks": sys.getallocatedblocks(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "garbage": len(gc.garbage),
    }


def _answer(*_: Any) -> None:
    directory = Path(os.environ[VARIABLE])
    file = file_of(directory, os.getpid())
    half = file.with_suffix(".half")
    half.write_text(json.dumps(take()))
    half.replace(file)
