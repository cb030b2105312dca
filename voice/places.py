"""The places of calls and the line of those who wait for one, shared by all web processes.

Each question is one step in Redis, so that nobody gets a place twice and none is lost between two
processes. A place is a lease: what a killed process held comes back by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from voice import keys

LEASE_SECONDS = 15
# A place that is kept for who waited: long enough to notice and to press a button.
HOLD_SECONDS = 20
# Within this a call has taken the memory that it takes; what is measured later includes it.
YOUNG_SECONDS = 20
MOST_WAITING = 100
UNKNOWN = -1

Answer = Literal["taken", "full", "yours", "memory"]

# Every script begins so: what has run out is gone before anything is counted.
_SWEPT = """
local places, holders, young, line, leases, waiters = unpack(KEYS, 1, 6)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', places, '-inf', now)) do
  redis.call('ZREM', places, gone)
  redis.call('HDEL', holders, gone)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
  redis.call('ZREM', leases, gone)
  redis.call('ZREM', line, gone)
  redis.call('HDEL', waiters, gone)
end
redis.call('ZREMRANGEBYSCORE', young, '-inf', now)
local function kept()
  for n = 1, 6 do redis.call('PEXPIRE', KEYS[n], 60000) end
end
local function free(most, fits)
  local left = most - redis.call('ZCARD', places)
  if fits >= 0 then left = math.min(left, fits - redis.call('ZCARD', young)) end
  return left
end
local function put(member, holder, lease, youth)
  if not redis.call('ZSCORE', places, member) then
    redis.call('ZADD', young, now + youth, member)
  end
  redis.call('ZADD', places, now + lease, member)
  redis.call('HSET', holders, member, holder)
end
local function drop(member, holder)
  if redis.call('HGET', holders, member) ~= holder then return 0 end
  redis.call('HDEL', holders, member)
  redis.call('ZREM', young, member)
  return redis.call('ZREM', places, member)
end
local function leave(person, holder)
  if redis.call('HGET', waiters, person) ~= holder then return 0 end
  redis.call('HDEL', waiters, person)
  redis.call('ZREM', leases, person)
  return redis.call('ZREM', line, person)
end
"""

# KEYS[7]: the places of this caller. Those who wait in line come before who comes now.
_TAKE = """
local mine, hold = KEYS[7], ARGV[4]
local most, fits, waiting = tonumber(ARGV[5]), tonumber(ARGV[7]), redis.call('ZCARD', line)
local look = ARGV[9] == 'look'
if ARGV[9] ~= 'must' and not redis.call('ZSCORE', places, ARGV[1]) then
  redis.call('ZREMRANGEBYSCORE', mine, '-inf', now)
  if redis.call('ZCARD', mine) >= tonumber(ARGV[6]) then return 'yours' end
  local held = hold ~= '' and redis.call('ZSCORE', places, hold)
  if held and not look then
    drop(hold, redis.call('HGET', holders, hold))
  elseif not held and free(most, fits) <= waiting then
    return most - redis.call('ZCARD', places) <= waiting and 'full' or 'memory'
  end
end
if look then return 'taken' end
put(ARGV[1], ARGV[2], ARGV[3], ARGV[8])
redis.call('ZADD', mine, now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', mine, 60000)
kept()
return 'taken'
"""

# A call goes on whatever the broker forgot meanwhile, so its place is there again if it was lost.
_RENEW = """
for n = 7, #KEYS do
  local member, holder = ARGV[2 * n - 12], ARGV[2 * n - 11]
  local now_held_by = redis.call('HGET', holders, member)
  if not now_held_by or now_held_by == holder then
    redis.call('ZADD', places, now + ARGV[1], member)
    redis.call('HSET', holders, member, holder)
    redis.call('ZADD', KEYS[n], now + ARGV[1], member)
    redis.call('PEXPIRE', KEYS[n], 60000)
  end
end
kept()
"""

_GIVE_BACK = """
if drop(ARGV[1], ARGV[2]) == 1 then redis.call('ZREM', KEYS[7], ARGV[1]) end
"""

_COUNT = """
local left = free(tonumber(ARGV[1]), tonumber(ARGV[2]))
return {redis.call('ZCARD', places), redis.call('ZCARD', line), left}
"""

# ARGV[10]: `join` comes newly, `stay` has come before, `held` had a place kept for it.
_WAIT = """
local person, holder, how = ARGV[1], ARGV[2], ARGV[10]
local hold = 'hold:' .. person
local until_when = redis.call('ZSCORE', places, hold)
if until_when then
  if how == 'join' then redis.call('HSET', holders, hold, holder) end
  if redis.call('HGET', holders, hold) ~= holder then return {'elsewhere'} end
  return {'held', math.floor(until_when - now)}
end
if how == 'held' then return {'over'} end
local before = redis.call('HGET', waiters, person)
if before and before ~= holder and how ~= 'join' then return {'elsewhere'} end
if not redis.call('ZSCORE', line, person) then
  if redis.call('ZCARD', line) >= tonumber(ARGV[4]) then return {'crowded'} end
  redis.call('ZADD', line, ARGV[9] == '0' and now or ARGV[9], person)
end
redis.call('ZADD', leases, now + ARGV[3], person)
redis.call('HSET', waiters, person, holder)
kept()
local rank = redis.call('ZRANK', line, person)
if rank < free(tonumber(ARGV[5]), tonumber(ARGV[6])) then
  leave(person, holder)
  put(hold, holder, ARGV[7], ARGV[8])
  return {'held', tonumber(ARGV[7])}
end
local since = redis.call('ZSCORE', line, person)
return {'waiting', rank + 1, redis.call('ZCARD', line), math.floor(since)}
"""

_LEAVE = """
leave(ARGV[1], ARGV[2])
drop('hold:' .. ARGV[1], ARGV[2])
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """`fits`: calls that the memory here has room for beyond the young ones; or UNKNOWN."""

    most: int
    most_per_caller: int
    fits: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Count:
    """Of all web processes; `free`: places that are neither taken, nor without memory."""

    calls: int
    waiting: int
    free: int

    @property
    def is_full(self) -> bool:
        """Whoever called now would be refused."""
        return self.free <= self.waiting


@dataclass(frozen=True, slots=True)
class Standing:
    """Of somebody who waits. `waiting` in a place of the line, `held` for so long, or no more:
    `elsewhere` goes on waiting, `over` the place was used or let go, `crowded` too many wait."""

    kind: Literal["waiting", "held", "elsewhere", "over", "crowded"]
    place: int = 0
    of: int = 0
    since_ms: int = 0
    held_ms: int = 0


Command = tuple[str, int, Sequence[Any]]
"""A script, how many of what follows are keys, and keys and arguments: for `redis.eval`."""


def take(
    member: str, holder: str, caller: str, limits: Limits, *, host: str, how: str = ""
) -> Command:
    """`how`: `look` takes none, `must` is never refused. What is taken already is taken on."""
    values = (
        *(member, holder, LEASE_SECONDS * 1000, f"hold:{caller}"),
        *(limits.most, limits.most_per_caller, limits.fits, YOUNG_SECONDS * 1000, how),
    )
    return _command(_TAKE, host, [keys.places_of(caller)], values)


def renew(held: Mapping[str, tuple[str, str]], *, host: str) -> Command:
    """`held`: holder and caller of each place."""
    values = [value for member, (holder, _) in held.items() for value in (member, holder)]
    own = [keys.places_of(caller) for _, caller in held.values()]
    return _command(_RENEW, host, own, [LEASE_SECONDS * 1000, *values])


def give_back(member: str, holder: str, caller: str, *, host: str) -> Command:
    return _command(_GIVE_BACK, host, [keys.places_of(caller)], [member, holder])


def count(limits: Limits, *, host: str) -> Command:
    """`Count` of the answer."""
    return _command(_COUNT, host, [], [limits.most, limits.fits])


def wait(
    person: str, holder: str, limits: Limits, *, host: str, how: str, since_ms: int = 0
) -> Command:
    """Join the line, or tell that one is still there; `read_standing` reads the answer.

    `since_ms`: of somebody whom a restarted broker may have forgotten, when they came.
    """
    values = (
        *(person, holder, LEASE_SECONDS * 1000, MOST_WAITING, limits.most, limits.fits),
        *(HOLD_SECONDS * 1000, YOUNG_SECONDS * 1000, since_ms, how),
    )
    return _command(_WAIT, host, [], values)


def leave(person: str, holder: str, *, host: str) -> Command:
    return _command(_LEAVE, host, [], [person, holder])


def read_standing(answer: Sequence[Any]) -> Standing:
    kind = answer[0].decode()
    if kind == "waiting":
        place, of, since_ms = answer[1:]
        return Standing(kind, place=place, of=of, since_ms=since_ms)
    return Standing(kind, held_ms=answer[1] if kind == "held" else 0)


def _command(script: str, host: str, own: Sequence[str], values: Sequence[Any]) -> Command:
    names = [
        *(keys.places(), keys.place_holders(), keys.young_places(host)),
        *(keys.line(), keys.line_leases(), keys.line_holders(), *own),
    ]
    return _SWEPT + script, len(names), [*names, *values]
