# mypy: ignore-errors
"""pipecat's side of the bench: `pipecat_bot.py KIND PORT PROVIDERS_URL MARKS`, in its own venv.

The pipeline of its example for Twilio (https://github.com/pipecat-ai/pipecat-examples,
twilio-chatbot/inbound/bot.py): a FastAPI app, one pipeline a call, with its services for OpenAI's
APIs pointed at the stand-ins. All calls share one process, as its runner has it.

`pipecat-documented` keeps its defaults: Silero's voice detector, and smart-turn, which judges
whether the caller is done. `pipecat-silero` judges by its timeout instead. `pipecat-bare` has no
model at all: a loudness decides, with the same timeout.
"""

import os
import sys
import time

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADParams
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

KIND, PORT, PROVIDERS_URL, MARKS = sys.argv[1:5]
SPEECH_RATE_HZ = 24_000
# Of 16-bit samples; between words of a recording there is less.
LOUD_RMS = 200
PROMPT = "You are a helpful assistant in an audio call. Answer in short sentences."
# DEBUG by default, a line for many frames: nobody would carry calls like that.
logger.remove()
logger.add(sys.stderr, level="ERROR")
_marks = os.open(MARKS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
app = FastAPI()


class Loudness(VADAnalyzer):
    """No model: all that is loud enough is speech. Leaner than anything pipecat brings."""

    def num_frames_required(self) -> int:
        return self.sample_rate // 50

    def voice_confidence(self, buffer: bytes) -> float:
        samples = np.frombuffer(buffer, np.int16).astype(np.float32)
        return float(np.dot(samples, samples) > LOUD_RMS**2 * len(samples))

    def _get_smoothed_volume(self, audio: bytes) -> float:
        # Its own measure takes 0.3 ms a frame, and would be most of what this pipeline takes.
        return 1.0


def _user_params() -> LLMUserAggregatorParams:
    if KIND == "pipecat-documented":
        return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    strategies = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
    vad = Loudness(params=VADParams()) if KIND == "pipecat-bare" else SileroVADAnalyzer()
    return LLMUserAggregatorParams(vad_analyzer=vad, user_turn_strategies=strategies)


@app.get("/healthz")
async def healthz() -> dict:
    return {"status": "ok"}


@app.websocket("/ws")
async def call(websocket: WebSocket) -> None:
    await websocket.accept()
    _, data = await parse_telephony_websocket(websocket)
    call_sid = data["call_id"]
    serializer = TwilioFrameSerializer(
        stream_sid=data["stream_id"],
        call_sid=call_sid,
        # It would ask Twilio to hang up.
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            add_wav_header=False,
            serializer=serializer,
        ),
    )
    await _converse(transport, call_sid)


async def _converse(transport: FastAPIWebsocketTransport, call_sid: str) -> None:
    base = {"api_key": "bench", "base_url": f"{PROVIDERS_URL}/calls/{call_sid}/v1"}
    context = LLMContext([{"role": "system", "content": PROMPT}])
    aggregators = LLMContextAggregatorPair(context, user_params=_user_params())
    pipeline = Pipeline(
        [
            transport.input(),
            OpenAISTTService(**base),
            aggregators.user(),
            OpenAILLMService(**base),
            OpenAITTSService(sample_rate=SPEECH_RATE_HZ, **base),
            transport.output(),
            aggregators.assistant(),
        ]
    )
    task = PipelineTask(
        pipeline,
        params=PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000),
        idle_timeout_secs=None,
    )
    turns = 0

    @aggregators.user().event_handler("on_user_turn_stopped")
    async def stopped(*_) -> None:
        nonlocal turns
        turns += 1
        os.write(_marks, f"ended {call_sid}:{turns} {time.monotonic_ns()}\n".encode())

    @transport.event_handler("on_client_connected")
    async def connected(*_) -> None:
        # A system prompt alone is no conversation for most models.
        context.add_message({"role": "user", "content": "Please introduce yourself."})
        await task.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")
    async def disconnected(*_) -> None:
        await task.cancel()

    await PipelineRunner(handle_sigint=False, force_gc=True).run(task)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(PORT), log_level="error", access_log=False)
