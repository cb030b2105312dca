"""Settings of worker processes that tests start: the test run's own database and broker."""

import os

os.environ["REDIS_URL"] = os.environ["TEST_REDIS_URL"]
os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE"]

from convonet.settings import *  # noqa: F403

# Other tests' rows are in the same database.
SHRINK_WHEN_IDLE = bool(os.environ.get("TEST_SHRINK"))
SCHEDULE = bool(os.environ.get("TEST_SCHEDULE"))
CELERY_TASK_SOFT_TIME_LIMIT = int(os.environ.get("TEST_SOFT_SECONDS", "40"))
TURN_DEADLINE_SECONDS = float(os.environ.get("TEST_TURN_SECONDS", "20"))
TOOL_DEADLINE_SECONDS = float(os.environ.get("TEST_TOOL_SECONDS", "10"))
CHILD_HEADROOM_MB = int(os.environ.get("TEST_HEADROOM_MB", "150"))
CHILD_CEILING_MB = int(os.environ.get("TEST_CEILING_MB", "400"))
