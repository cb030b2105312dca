"""What is done by the clock, once per deployment for each period: begun here, or pushed as a task.

Whoever is first to find a chore's key in Redis gone sets it anew for the length of its period and
pushes the task, in one step. So any number of processes may hold the same schedule, each goes on
at once when another dies, and a restart neither skips nor repeats what is due once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice import envelope, keys

# Whoever consumes it keeps the schedule.
QUEUE = "chores"
FIRE_SECONDS = 5.0
JOIN_SECONDS = 30.0
DAY_SECONDS = 86_400.0
# A broker that lost its memory is noticed within this.
MOST_SECONDS = 60.0

# KEYS: the chore's key, the queue. ARGV: the period in ms, the message.
# Returns the ms until the chore is due again, and whether it is begun; an empty message is not
# pushed.
_BEGIN = """
if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
  if ARGV[2] ~= '' then redis.call('LPUSH', KEYS[2], ARGV[2]) end
  return {tonumber(ARGV[1]), 1}
end
return {redis.call('PTTL', KEYS[1]), 0}
"""


@dataclass(frozen=True, slots=True)
class Chore:
    task: str
    """Of `workers.tasks`."""
    seconds: float
    """Its period; one that was not begun within the next is not begun at all."""


CHORES = (
    Chore("fire_due_reminders", FIRE_SECONDS),
    Chore("join_recordings", JOIN_SECONDS),
    Chore("delete_old_records", DAY_SECONDS),
)


@dataclass(slots=True)
class Schedule:
    """`begin_due` as often as you like: it asks the broker only when something may be due."""

    chores: Sequence[Chore]
    here: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """What is called for a chore instead of pushing it."""
    _not_before: dict[str, float] = field(default_factory=dict)

    def begin_due(self, redis: Any, now: float) -> list[str]:
        """The chores that were begun; `now` is monotonic. Raises RedisError, and what is called."""
        return [chore.task for chore in self._perhaps_due(now) if self._begin(redis, chore, now)]

    def _perhaps_due(self, now: float) -> list[Chore]:
        return [chore for chore in self.chores if now >= self._not_before.get(chore.task, now)]

    def _begin(self, redis: Any, chore: Chore, now: float) -> bool:
        call = self.here.get(chore.task)
        left_ms, begun = redis.eval(
            _BEGIN,
            2,
            keys.scheduled(chore.task),
            envelope.queue_of(chore.task),
            round(chore.seconds * 1000),
            "" if call else envelope.sealed(chore.task, expires_seconds=chore.seconds),
        )
        self._not_before[chore.task] = now + min(max(0, left_ms) / 1000, MOST_SECONDS)
        if begun and call:
            call()
        return bool(begun)


def of_queues(queues: Iterable[str]) -> Schedule:
    """Kept by every worker that does the long chores, which somebody must do for it to be kept."""
    return Schedule(CHORES if QUEUE in set(queues) else ())
