"""An agent worker that cannot go on once the file `BREAKS_WHEN` is there, while a child works."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from celery import bootsteps, shared_task

from convonet.celery import app
from workers.__main__ import run
from workers.bootsteps import POOL


@shared_task(name="tests.work_long")  # type: ignore[untyped-decorator]
def work_long() -> None:
    os.write(2, b"busy\n")
    time.sleep(600)


class Break(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    requires = (POOL,)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        hub.call_repeatedly(0.1, self._look)

    def _look(self) -> None:
        if Path(os.environ["BREAKS_WHEN"]).exists():
            raise MemoryError  # one of the few that the loop does not catch


app.steps["worker"].add(Break)

if __name__ == "__main__":
    app.send_task("tests.work_long", queue="agent")
    sys.exit(run("agent"))
