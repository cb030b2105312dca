"""`python -m workers agent` or `… speech`: one of the product's workers, until SIGTERM.

Celery's own command loads Flower, its web server and a terminal's toolkit into every worker:
14 MB that no task ever needs.
"""

from __future__ import annotations

import logging
import os
import sys
from socket import gethostname

QUEUES = {"agent": ("agent", "chores"), "speech": ("speech",)}


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0] not in QUEUES:
        sys.stderr.write(f"Say which worker: {' or '.join(QUEUES)}.\n")
        return 2
    return run(arguments[0])


def run(role: str) -> int:
    # What is imported from here on asks for it.
    os.environ["WORKER_ROLE"] = role
    from celery.platforms import EX_FAILURE
    from django.conf import settings

    from convonet import database
    from convonet.celery import app

    os.nice(settings.WORKER_NICE)
    if role == "speech":
        # After a sentence, and not in a caller's turn.
        database.write_back_early()
    children = settings.SPEECH_CHILDREN if role == "speech" else settings.AGENT_CHILDREN

    class Worker(app.Worker):  # type: ignore[misc]  # celery has no types
        def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
            """What it cannot recover from ends it at once, and the supervisor starts another.

            Celery would wait for its children, which go on claiming: as long as callers talk,
            and nobody would look after the tool server meanwhile. They die with this process, and
            what they had begun is given back and taken up again.
            """
            if exitcode == EX_FAILURE:
                logging.shutdown()
                os._exit(EX_FAILURE)
            super().stop(in_sighandler, exitcode)

    worker = Worker(
        hostname=f"{role}@{gethostname()}",
        queues=list(QUEUES[role]),
        concurrency=children,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
