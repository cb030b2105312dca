"""What ends or refuses a call.

CallError
├── Refused        the socket is closed with a code and a sentence (docs/protocol.md)
└── BrokerLost     Redis did not take or give what the call needs
"""

from __future__ import annotations


class CallError(Exception):
    """Base of this area's errors."""


class Refused(CallError):
    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class BrokerLost(CallError):
    """The broker did not answer within its deadline."""


class WorkerMissing(CallError):
    def __init__(self, role: str) -> None:
        super().__init__(role)
        self.role = role
