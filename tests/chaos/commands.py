"""What each caller says, drawn from a seed: names occur once, so that effects can be counted."""

from __future__ import annotations

from random import Random

from tests.chaos.facts import Command, Kind

_VERBS = [
    "polish",
    "paint",
    "mend",
    "sort",
    "dust",
    "weigh",
    "fold",
    "wrap",
    "sketch",
    "rinse",
    "label",
    "frame",
]
_KINDS = [
    "copper",
    "velvet",
    "marble",
    "amber",
    "wooden",
    "silver",
    "paper",
    "linen",
    "ivory",
    "crystal",
]
_THINGS = [
    "kettle",
    "lantern",
    "basket",
    "ribbon",
    "mirror",
    "ladder",
    "pillow",
    "bottle",
    "hammer",
    "candle",
    "saddle",
]

# Recordings by their number: each adds something once, asks, or takes back.
_ADDING = ("00", "06", "08", "13", "16", "22", "25", "30", "33", "36")
_ASKING: dict[str, Kind] = {"10": "list", "11": "count"}
_VOICES = ("man", "woman")
RECORDED_SHARE = 0.12
INTERRUPTED_SHARE = 0.06
UNDO_SHARE = 0.2


class Commands:
    """An endless list; `last_done` is what this call's undo would take back."""

    def __init__(self, random: Random, *, recordings: bool = True) -> None:
        self._random = random
        names = [f"{v} the {k} {t}" for v in _VERBS for k in _KINDS for t in _THINGS]
        random.shuffle(names)
        self._names = names
        self._recorded = list(_ADDING) if recordings else []
        self._recordings = recordings
        random.shuffle(self._recorded)
        self._open: list[str] = []

    def next(self, last_done: Command | None) -> Command:
        """`last_done` is the command just carried out in this very call, if it was."""
        random = self._random
        if last_done is not None and last_done.title and random.random() < UNDO_SHARE:
            return Command("undo", "undo that", last_done.title)
        if self._recordings and random.random() < RECORDED_SHARE:
            return self._spoken()
        return self._typed()

    def learned(self, command: Command, *, done: bool) -> None:
        """What became of a command decides what can be said about its todo later."""
        if done and command.kind == "add" and command.title:
            self._open.append(command.title)

    def _spoken(self) -> Command:
        voice = self._random.choice(_VOICES)
        if self._recorded and self._random.random() < 0.6:
            return Command("add", "", recording=f"{self._recorded.pop()}-{voice}")
        number, kind = self._random.choice(sorted(_ASKING.items()))
        return Command(kind, "", recording=f"{number}-{voice}")

    def _typed(self) -> Command:
        random = self._random
        stop = random.uniform(0.0, 0.5) if random.random() < INTERRUPTED_SHARE else None
        kinds: tuple[Kind, ...] = ("add", "complete", "prioritise", "delete", "remind", "count")
        kind = random.choices((*kinds, "list"), (10, 4, 3, 3, 4, 3, 1))[0]
        if kind in ("complete", "prioritise", "delete") and not self._open:
            kind = "add"
        if kind == "count":
            return Command(kind, "how many open todos do i have", interrupt_after=stop)
        if kind == "list":
            return Command(kind, "read me my list", interrupt_after=stop)
        if kind in ("add", "remind"):
            title = self._names.pop()
        else:
            # Each todo once: a second "high priority" would truly change nothing.
            title = self._open.pop(random.randrange(len(self._open)))
        return Command(kind, _WORDING[kind].format(title), title, interrupt_after=stop)


_WORDING: dict[str, str] = {
    "add": "add {}",
    "complete": "mark {} as done",
    "prioritise": "change {} to high priority",
    "delete": "delete {}",
    "remind": "remind me tomorrow at nine to {}",
}
