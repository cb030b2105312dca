"""Whatever happens in whatever order: each turn has one end, and nobody answers it twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.voice.realtime.scene import SECOND, Scene
from voice import events
from voice.realtime import deeds, protocol
from voice.turns import Announce, Begin, Drop, Finish, Recognise, Run

STEPS = 120
AUDIO = bytes(SECOND)


class Chance:
    """A call in which anything may happen, by a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.scene = Scene()
        self.scene.talk.wake(self.scene.now)
        self.items: list[str] = []
        self.responses: list[str] = []
        self.tools: list[tuple[str, str]] = []
        self.gate = False
        self.calls = self.taken_up = 0
        self.ran: set[str] = set()
        self.steps: dict[Callable[[], object], int] = {
            self.arrive: 3,
            self.speak: 5,
            self.transcript: 4,
            self.respond: 8,
            self.sound: 12,
            self.tool: 4,
            self.tool_answer: 5,
            self.end_response: 6,
            self.repeat: 1,
            self.lose: 1,
            self.play: 6,
            self.hear: 5,
            self.gate_moves: 1,
            self.interrupt: 1,
            self.type: 1,
            self.tick: 2,
            self.worker: 4,
        }

    def go(self) -> None:
        self.arrive()
        for step in self.random.choices(list(self.steps), list(self.steps.values()), k=STEPS):
            step()
            self.scene.take()

    # The model ----------------------------------------------------------------------------------
    def arrive(self) -> None:
        """If it is away, and nothing is in its way."""
        if not self.scene.talk.on_line:
            self.worker()
            self.catch_up()
            self.scene.later(5.0)
            self.scene.talk.handle(events.Briefed("Be brief."), self.scene.now)
            self.scene.up(protocol.SessionUpdated())

    def speak(self) -> None:
        if self.scene.talk.on_line:
            self.items.append(self.scene.begin_to_speak(200))
        if self.items and self.random.random() < 0.8:
            item = self.items[-1]
            self.scene.up(protocol.SpeechStopped(item, 10**6), protocol.Committed(item))

    def transcript(self) -> None:
        if self.items:
            words = self.random.choice(["add milk", "add milk", "add milk", ""])
            self.scene.up(protocol.Words(self.random.choice(self.items), words))

    def respond(self) -> None:
        asked = len(self.scene.asked)
        if asked > self.taken_up and self.scene.talk.on_line:
            self.taken_up = asked
            self.responses.append(self.scene.respond())

    def any_response(self) -> str:
        late = self.random.random() < 0.2
        return self.random.choice(self.responses) if late else self.responses[-1]

    def sound(self) -> None:
        if self.responses:
            item = self.scene.talk_on(self.any_response(), "word ", 300)
            if self.random.random() < 0.5:
                self.scene.up(protocol.ItemDone(self.responses[-1], item))

    def tool(self) -> None:
        if self.responses:
            self.calls += 1
            self.scene.call_tool(self.any_response(), f"c{self.calls}")

    def tool_answer(self) -> None:
        asked = self.scene.deeds(deeds.RunTool)
        if asked:
            one = self.random.choice(asked)
            answer = events.ToolAnswered(one.turn_id, one.call_id, "Done.")
            self.scene.talk.handle(answer, self.scene.now)

    def end_response(self) -> None:
        if self.responses:
            ends = ["completed"] * 12 + ["incomplete", "cancelled", "failed"]
            self.scene.end(self.any_response(), self.random.choice(ends))

    def repeat(self) -> None:
        if self.responses:
            self.scene.up(protocol.ResponseCreated(self.any_response(), None))

    def lose(self) -> None:
        self.scene.lose()

    # The caller ---------------------------------------------------------------------------------
    def gate_moves(self) -> None:
        talk, now = self.scene.talk, self.scene.now
        if not self.gate:
            talk.speech_started(now)
        elif self.random.random() < 0.3:
            talk.speech_discarded(now)
        else:
            talk.came(SECOND)
            talk.speech_ended(AUDIO, 600, now)
        self.gate = not self.gate

    def play(self) -> None:
        self.scene.play()

    def hear(self) -> None:
        turn = self.scene.talk.current
        if turn is not None:
            self.scene.hear(self.random.randint(0, turn.playout.sent_ms + 100))

    def catch_up(self) -> None:
        """Who hears nothing for long is hung up on."""
        turn = self.scene.talk.current
        if turn is not None:
            self.scene.hear(turn.playout.sent_ms)

    def interrupt(self) -> None:
        self.scene.talk.interrupt(self.scene.now)

    def type(self) -> None:
        self.scene.talk.typed("add milk", self.scene.now)

    def tick(self) -> None:
        self.catch_up()
        self.scene.talk.came(SECOND // 2)
        self.scene.later(self.random.choice([0.5, 0.5, 0.5, 3.0]))

    # Workers ------------------------------------------------------------------------------------
    def worker(self) -> None:
        scene = self.scene
        heard = [one.utterance_id for one in scene.deeds(deeds.HearAgain)]
        heard += [one.utterance_id for one in scene.of(Recognise)]
        for utterance_id in heard:
            words = self.random.choice(["add milk", "add milk", ""])
            scene.talk.handle(events.Transcribed(utterance_id, words), scene.now)
        for said in scene.of(Announce):
            audio = events.SentenceAudio(said.turn.id, 0, 800, final=True)
            scene.talk.handle(audio, scene.now)
        for turn_id in {run.turn.id for run in scene.of(Run)} - self.ran:
            self.ran.add(turn_id)
            self.answer(turn_id)

    def answer(self, turn_id: str) -> None:
        for event in (
            events.TurnStarted(turn_id),
            events.SentenceReady(turn_id, 0, "Done."),
            events.SentenceAudio(turn_id, 0, 800, final=True),
            events.TurnFinished(turn_id, "Done.", 1),
        ):
            self.scene.talk.handle(event, self.scene.now)
        self.scene.take()

    # The end ------------------------------------------------------------------------------------
    def quiet_down(self) -> None:
        """Nobody speaks any more, the model is gone for good, and workers do what is left."""
        if self.gate:
            self.gate_moves()
        self.scene.lose(hopeless=True)
        for _ in range(60):
            self.worker()
            for turn_id in [run.turn.id for run in self.scene.of(Run)][-8:]:
                self.answer(turn_id)
            self.scene.play()
            turn = self.scene.talk.current
            if turn is not None:
                self.scene.hear(turn.playout.sent_ms)
            self.scene.later(1.0)


@pytest.mark.parametrize("seed", range(40))
def test_each_turn_has_one_end_and_one_answer(seed: int) -> None:
    chance = Chance(seed)
    chance.go()
    chance.quiet_down()
    scene = chance.scene
    begun = Counter(one.turn.id for one in scene.of(Begin))
    assert set(begun.values()) <= {1}
    over = Counter(one.turn.id for one in scene.of(Finish) if not one.turn.announcement)
    over += Counter(one.turn.id for one in scene.of(Drop))
    assert over == begun
    assert set(Counter(one.turn.id for one in scene.of(Run)).values()) <= {1}
    tools = [(one.turn_id, one.ordinal) for one in scene.deeds(deeds.RunTool)]
    assert len(set(tools)) == len(tools)
    # What the model's reply was written of, no worker is asked for afterwards.
    replied: set[str] = set()
    for command in scene.commands:
        what = getattr(command, "what", None)
        if isinstance(what, deeds.WriteReply):
            replied.add(what.turn.id)
        elif isinstance(command, Run):
            assert command.turn.id not in replied


def test_all_of_it_happens() -> None:
    """The seeds reach what they are there for."""
    seen: Counter[str] = Counter()
    for seed in range(20):
        chance = Chance(seed)
        chance.go()
        chance.quiet_down()
        for command in chance.scene.commands:
            seen[type(getattr(command, "what", command)).__name__] += 1
    for kind in ("CancelResponse", "Truncate", "RunTool", "FunctionOutput", "WriteReply", "Run"):
        assert seen[kind] >= 5, kind
