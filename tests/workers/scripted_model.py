"""A chat model that does what the transcript says, as JSON: one object per model answer.

`{"say": text, "tools": [[name, arguments], …]}`, and to make trouble: `"kill": true` (SIGKILL of
its own process), `"kill_once": path` (the same, unless the path exists), `"until": path` (waits for
it), `"allocate_mb": n` (kept until the answer is made), `"raise": text`. `"note": path` adds a line
there each time.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class ScriptedModel(BaseChatModel):
    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        step = current_step(messages)
        words = str(step.get("say", "")).split(" ")
        for number, word in enumerate(words):
            text = word if number == 0 else f" {word}"
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk
        make_trouble(step)
        if step.get("tools"):
            chunks = [
                {"name": name, "args": json.dumps(arguments), "id": f"call_{n}", "index": n}
                for n, (name, arguments) in enumerate(step["tools"])
            ]
            message = AIMessageChunk(content="", tool_call_chunks=chunks)  # type: ignore[arg-type]
            yield ChatGenerationChunk(message=message)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        return ChatResult(
            generations=[ChatGeneration(message=AIMessage(str(current_step(messages).get("say"))))]
        )


def current_step(messages: list[BaseMessage]) -> dict[str, Any]:
    spoken = max(n for n, message in enumerate(messages) if isinstance(message, HumanMessage))
    script = json.loads(messages[spoken].text)
    answered = sum(isinstance(message, AIMessage) for message in messages[spoken:])
    step: dict[str, Any] = script[answered]
    return step


def make_trouble(step: dict[str, Any]) -> None:
    if "note" in step:
        with Path(step["note"]).open("a") as notes:
            notes.write("asked\n")
    if step.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if "kill_once" in step and not Path(step["kill_once"]).exists():
        Path(step["kill_once"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "until" in step:
        deadline = time.monotonic() + 20
        while not Path(step["until"]).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    if "allocate_mb" in step:
        ballast = b"x" * (step["allocate_mb"] * 1024 * 1024)
        del ballast
    if "raise" in step:
        raise RuntimeError(step["raise"])
