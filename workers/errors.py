"""What can go wrong in a worker.

WorkerError
├── SpeechError      an engine could not hear or speak
├── ModelError       the language model did not answer
└── ToolError        the tool server did not answer (a refusal by a tool is a result, no error)

LeaseLost            another worker has the turn: nothing is left to do or to tell
"""

from __future__ import annotations

import traceback


class WorkerError(Exception):
    """`code` is for the operator, `message` is one sentence for the caller."""

    code = "internal"

    def __init__(self, message: str, *, code: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.retryable = retryable


class SpeechError(WorkerError):
    code = "speech"


class ModelError(WorkerError):
    code = "model"


class ToolError(WorkerError):
    code = "tool"


class LeaseLost(Exception):
    """Not a WorkerError: there is no caller to tell."""


def place_of(error: BaseException) -> str:
    """Type and line, for the operator; never its text, which may hold callers' words."""
    # Not `extract_tb`: that reads every file on the way and keeps it.
    frames = list(traceback.walk_tb(error.__traceback__))
    place = ""
    if frames:
        frame, line = frames[-1]
        place = f" {frame.f_code.co_filename.rpartition('/')[2]}:{line}"
    return type(error).__name__ + place
