"""What ends or refuses a call.

CallError
├── Refused        the socket is closed with a code and a sentence (docs/protocol.md)
│   └── Busy       no line is free: the caller may wait for one
└── BrokerLost     Redis did not take or give what the call needs
"""

from __future__ import annotations


class CallError(Exception):
    """Base of this area's errors."""


class Refused(CallError):
    reason = "refused"

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Busy(Refused):
    """`why`: `full`, or `memory` where there are lines and no room for another call."""

    reason = "busy"

    def __init__(self, code: int, sentence: str, *, why: str) -> None:
        super().__init__(code, sentence)
        self.why = why


class BrokerLost(CallError):
    """The broker did not answer within its deadline."""


class WorkerMissing(CallError):
    def __init__(self, role: str) -> None:
        super().__init__(role)
        self.role = role
