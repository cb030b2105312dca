"""What a call was told is kept while somebody may need it, on the running product."""

from __future__ import annotations

import pytest

from tests.stack import Stack, wait_until
from tests.voice.client import call, hear_until, say
from voice import keys

pytestmark = pytest.mark.service


async def test_what_a_call_was_told_goes_when_it_was_heard_and_when_the_call_has_ended(
    stack: Stack,
) -> None:
    before = set(stack.redis.scan_iter(keys.call_stream("*")))
    async with call(stack) as opened:
        for number in range(3):
            await say(opened, "text", text=f"add a thing of number {number}")
            done, _, _ = await hear_until(opened, "turn_done")
            assert done["heard"]
        (stream,) = set(stack.redis.scan_iter(keys.call_stream("*"))) - before
        # The last event read is the mark behind which the reading goes on.
        wait_until(lambda: stack.redis.xlen(stream) <= 1, 60, "only the last event is left")
        added = stack.redis.xinfo_stream(stream)["entries-added"]
        assert added >= 3 * 4
        await say(opened, "stop")
    wait_until(lambda: not stack.redis.exists(stream), 60, "the stream has gone with its call")
