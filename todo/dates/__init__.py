"""Natural dates: the one place that knows how people say a day, an hour and a repetition.

Pure: every answer follows from the words and the `now` given, which is aware and in the person's
zone. The meanings chosen are listed in docs/language.md.
"""

from todo.dates.cutting import cut, is_date, parse
from todo.dates.phrase import When
from todo.dates.repeats import next_occurrence
from todo.dates.spans import span
from todo.dates.spoken import describe, describe_repeat
from todo.dates.words import plain

__all__ = [
    "When",
    "cut",
    "describe",
    "describe_repeat",
    "is_date",
    "next_occurrence",
    "parse",
    "plain",
    "span",
]
