"""Whether a provider is asked at all, after what became of the last questions to it. Pure.

Closed: asked. Open: not asked until its rest is over. Then it is asked again, and one failure is
enough to open it for twice as long; one answer closes it.
"""

from __future__ import annotations

MOST_FAILURES = 3
REST_SECONDS = 15.0
MOST_REST_SECONDS = 300.0


class Breaker:
    """Of one provider in one process. `now` is any clock of seconds that never goes back."""

    def __init__(
        self, most_failures: int = MOST_FAILURES, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._most = most_failures
        self._first_rest = rest_seconds
        self._rest = 0.0
        self._failures = 0
        self._until = 0.0

    def allows(self, now: float) -> bool:
        return now >= self._until

    def on_trial(self, now: float) -> bool:
        """Its rest is over, and no question has shown yet that it is well."""
        return 0.0 < self._until <= now

    def succeeded(self) -> None:
        self._failures, self._rest, self._until = 0, 0.0, 0.0

    def failed(self, now: float, *, rest_seconds: float = 0.0) -> None:
        """`rest_seconds` opens it at once for at least so long: the provider asked for it, or
        nothing else would help (a refused key).
        """
        self._failures += 1
        if self._failures < self._most and not rest_seconds and not self._rest:
            return
        doubled = self._rest * 2 or self._first_rest
        self._rest = min(max(doubled, rest_seconds), MOST_REST_SECONDS)
        self._until = now + self._rest
