from typing import Any

from workers.outcome import apology
from workers.steps import ToolEnded


def ended(ok: bool | None, **result: Any) -> ToolEnded:
    return ToolEnded(0, "id", "add_todos", {}, result, ok, 5)


DONE = ended(True, summary="added: milk", said="Added milk.", change=1)
READ = ended(True, summary="", said="You have two.", change=None)


def test_without_any_change_the_caller_hears_that_nothing_was_changed() -> None:
    for tools in ([], [READ], [ended(False, said="Not yours.")]):
        assert "Nothing was changed" in apology("model", tools)


def test_what_was_done_is_said() -> None:
    text = apology("deadline", [READ, DONE])
    assert text == ("That took too long. This much was done: Added milk. Nothing else was changed.")


def test_what_is_not_known_is_said_to_be_uncertain() -> None:
    assert "not sure whether it was done" in apology("model", [ended(None)])
    assert "The rest is uncertain" in apology("model", [DONE, ended(None)])
    assert "Nothing" not in apology("internal", [], known=False)
    assert "Nothing" not in apology("internal", [DONE], known=False)
