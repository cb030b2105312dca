"""What a person may be told instead of a change: refusals, as one sentence each."""

from __future__ import annotations


class Refused(Exception):
    """`sentence` is for the person; `status` is the HTTP status a page's request gets."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
