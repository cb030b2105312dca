"""The score table: a row a kind, a column a provider, then what it took and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from convonet import prices
from tests.commands.score.play import Result
from tests.commands.score.spoken import PARTS
from workers.language.models import LOCAL
from workers.uses import Use, Why


@dataclass(frozen=True, slots=True)
class Column:
    """One provider's results."""

    name: str
    results: list[Result]

    @property
    def score(self) -> float:
        """Share of right ones, 0 to 1."""
        return sum(result.right for result in self.results) / len(self.results)

    @property
    def invented(self) -> int:
        return sum(bool(result.invented) for result in self.results)


Cell = Callable[[Sequence[Result]], str]


def table(columns: Sequence[Column]) -> str:
    kinds = list(dict.fromkeys(one.command.kind for one in columns[0].results))
    rows = [["", *(column.name for column in columns)]]
    for kind in kinds:
        rows.append([kind, *(_share(_of_kind(column.results, kind)) for column in columns)])
    for part in PARTS:
        if any(result.command.part == part for result in columns[0].results):
            name = {"open": "all that may be looked at", "held": "all held back"}[part]
            rows.append([name, *(_percent(_of_part(one.results, part)) for one in columns)])
    rows.append(["all", *(_percent(column.results) for column in columns)])
    rows.append(["invented successes", *(str(column.invented) for column in columns)])
    if any(_without_model(column.results) for column in columns):
        rows.append(["the grammar alone", *(_alone(column.results) for column in columns)])
    rows.append(["time of a turn, median, mean", *(_median(column.results) for column in columns)])
    rows.append(["model calls a turn", *(_calls(column.results) for column in columns)])
    rows.append(["tokens in, out", *(_tokens(column.results) for column in columns)])
    rows.append(["estimated cost", *(_cost(column.results) for column in columns)])
    return _aligned(rows)


def failures(column: Column, *, parts: Iterable[str] = PARTS) -> str:
    """What was said, expected and got, of each command that is not right."""
    wrong = [one for one in column.results if not one.right and one.command.part in parts]
    return "\n".join(_failure(result) for result in wrong)


def _failure(result: Result) -> str:
    alone = " (the grammar alone)" if _is_sure(result) else ""
    lines = [result.command.id + alone]
    for turn in result.turns:
        tools = "".join(f"\n    tool   {tool.name} {tool.arguments}" for tool in turn.tools)
        lines.append(f"    said   {turn.words}{tools}\n    reply  {turn.reply}")
    lines += [f"    wrong  {one}" for one in result.wrong]
    lines += [f"    invented  {one}" for one in result.invented]
    return "\n".join(lines)


def _of_kind(results: Sequence[Result], kind: str) -> list[Result]:
    return [result for result in results if result.command.kind == kind]


def _of_part(results: Sequence[Result], part: str) -> list[Result]:
    return [result for result in results if result.command.part == part]


def _share(results: Sequence[Result]) -> str:
    return f"{sum(result.right for result in results)} of {len(results)}"


def _percent(results: Sequence[Result]) -> str:
    right = sum(result.right for result in results)
    return f"{_share(results)}, {100 * right / len(results):.0f} %"


def _median(results: Sequence[Result]) -> str:
    seconds = [turn.seconds for one in results for turn in one.turns]
    return f"{1000 * median(seconds):.0f} ms, {1000 * fmean(seconds):.0f} ms"


def _calls(results: Sequence[Result]) -> str:
    """Those that somebody else was asked, and the share of turns without one."""
    turns = [turn for result in results for turn in result.turns]
    asked = [sum(use.provider != LOCAL for use in turn.asked) for turn in turns]
    without = sum(not calls for calls in asked)
    return f"{sum(asked) / len(turns):.1f}, none in {100 * without / len(turns):.0f} %"


def _without_model(results: Sequence[Result]) -> list[Result]:
    """The commands that the grammar answered although somebody else could have been asked."""
    return [result for result in results if _is_sure(result)]


def _is_sure(result: Result) -> bool:
    return all(use.why == Why.SURE for turn in result.turns for use in turn.asked)


def _alone(results: Sequence[Result]) -> str:
    alone = _without_model(results)
    return f"{len(alone)} of {len(results)}, right {_share(alone)}"


def _tokens(results: Sequence[Result]) -> str:
    uses = _uses(results)
    return f"{sum(use.tokens_in for use in uses)}, {sum(use.tokens_out for use in uses)}"


def _cost(results: Sequence[Result]) -> str:
    costs = [
        prices.cost_micro_usd(use.stage, use.provider, use.model, use.tokens_in, use.tokens_out)
        for use in _uses(results)
    ]
    known = [cost for cost in costs if cost is not None]
    return f"{sum(known) / 1e6:.3f} USD" if len(known) == len(costs) else "not known"


def _uses(results: Sequence[Result]) -> list[Use]:
    return [use for result in results for turn in result.turns for use in turn.asked]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
