"""Plays a recording as a caller through the running server's socket, and says what came of it."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from tzlocal import get_localzone_name

from convonet.caller import (
    REALTIME,
    CallFailed,
    CallReport,
    Exchange,
    Utterance,
    WrongAudio,
    place_call,
)
from convonet.far_end import names, sound
from convonet.far_end.sound import speech_of
from convonet.phone_caller import PhoneReport, configured_server, place_phone_call
from convonet.recordings import read_wav, speech_end_ms, write_wav
from voice import tickets
from voice.audio import BROWSER, AudioFormat


class Command(BaseCommand):
    help = "Call the running server with a recording (or typed words) and print what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE.wav")
        parser.add_argument("--text", action="append", default=[], help="typed words to send")
        parser.add_argument("--user", default=settings.DEMO_USERNAME, help="who calls")
        parser.add_argument("--reply", type=Path, metavar="OUT.wav", help="write the reply's audio")
        parser.add_argument("--json", action="store_true", help="end with one object on one line")
        parser.add_argument("--url", help="ws://host:port/ws/call of the server")
        parser.add_argument("--time-zone", default="", help="the caller's zone (default: yours)")
        parser.add_argument(
            "--realtime", action="store_true", help="at 24 kHz, to a server with REALTIME=openai"
        )
        phone = parser.add_argument_group("by telephone")
        phone.add_argument("--twilio", action="store_true", help="call as Twilio's network would")
        phone.add_argument("--from", default=names.CALLER, dest="caller", metavar="NUMBER")
        phone.add_argument("--to", default=names.CALLED, dest="called", metavar="NUMBER")
        phone.add_argument("--pin", default="", help="keyed in after the greeting")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["twilio"]:
            self._call_by_phone(options)
            return
        audio_format = REALTIME if options["realtime"] else BROWSER
        utterances = [_recorded(path, audio_format) for path in options["files"]]
        utterances += [Utterance(text=text) for text in options["text"]]
        if not utterances:
            raise CommandError("Name a WAV file to play, or give --text.")
        url = options["url"] or f"ws://127.0.0.1:{settings.PORT}/ws/call"
        try:
            report = asyncio.run(
                place_call(
                    url,
                    _ticket(options["user"]),
                    utterances,
                    time_zone=options["time_zone"] or get_localzone_name() or "UTC",
                    audio_format=audio_format,
                )
            )
        except WrongAudio as error:
            raise CommandError(_other_mode(error)) from error
        except CallFailed as error:
            raise CommandError(f"{error} Is `make run` up?") from error
        for exchange in report.exchanges:
            self._print(exchange)
        if options["reply"]:
            heard = b"".join(bytes(e.audio) for e in report.exchanges)
            write_wav(options["reply"], heard, audio_format.rate_hz)
            self.stdout.write(f"  reply written to {options['reply']}")
        if options["json"]:
            self.stdout.write(json.dumps(_summary(report)))
        if any(exchange.state != "done" for exchange in report.exchanges):
            raise CommandError(report.bye or "Not every utterance was answered.")

    def _call_by_phone(self, options: dict[str, Any]) -> None:
        try:
            speeches = [speech_of(path) for path in options["files"]]
            report = asyncio.run(
                place_phone_call(
                    configured_server(),
                    speeches,
                    caller=options["caller"],
                    called=options["called"],
                    pin=options["pin"],
                )
            )
        except (CallFailed, ValueError) as error:
            raise CommandError(str(error)) from error
        for exchange in report.exchanges:
            self._print(exchange)
        self._print_line(report)
        if options["reply"]:
            sound.write_wav(options["reply"], report.heard)
            self.stdout.write(f"  all that was heard written to {options['reply']}")
        if options["json"]:
            self.stdout.write(json.dumps(_summary(report)))
        if any(exchange.state != "done" for exchange in report.exchanges):
            raise CommandError("Not every utterance was answered.")

    def _print_line(self, report: PhoneReport) -> None:
        line, call = report.line, report.call
        for text in line.told:
            self.stdout.write(f"  twilio {text}")
        for error in line.errors:
            self.stdout.write(f"  error  {error}")
        self.stdout.write(
            f"  line   {call.seconds:.1f} s, heard {len(report.heard) / 8000:.1f} s, at most"
            f" {line.ear.most_ahead_ms} ms ahead, {call.streams} stream(s)"
        )

    def _print(self, exchange: Exchange) -> None:
        say = self.stdout.write
        say(f"  you    {exchange.transcript or '(no words)'}")
        for call in exchange.tool_calls:
            arguments = json.dumps(call["arguments"], ensure_ascii=False)
            say(f"  tool   {call['name']} {arguments} -> {call['summary'] or call['status']}")
        for notice in exchange.notices:
            say(f"  notice {notice}")
        say(f"  reply  {exchange.reply}")
        times = exchange.timings_ms
        steps = ("transcript", "first_token", "first_audio")
        shown = " -> ".join(f"{s.replace('_', ' ')} {times[s]} ms" for s in steps if s in times)
        say(f"  times  end of speech -> {shown}")


def _recorded(path: Path, audio_format: AudioFormat) -> Utterance:
    rate_hz = audio_format.rate_hz
    try:
        pcm = read_wav(path, rate_hz)
    except ValueError as error:
        raise CommandError(str(error)) from None
    return Utterance(pcm=pcm, speech_end_ms=speech_end_ms(pcm, rate_hz))


def _other_mode(error: WrongAudio) -> str:
    if error.wanted == str(REALTIME):
        return f"{error} Add --realtime."
    return f"{error} Start it with REALTIME=openai and a key, or leave --realtime out."


def _ticket(username: str) -> str:
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username!r}. Name one with --user.")
    return tickets.issue(user.pk)


def _summary(report: CallReport | PhoneReport) -> dict[str, Any]:
    exchanges = report.exchanges
    return {
        "transcript": " ".join(e.transcript for e in exchanges),
        "reply": " ".join(e.reply for e in exchanges),
        "tool_calls": [call for e in exchanges for call in e.tool_calls],
        "timings_ms": exchanges[-1].timings_ms if exchanges else {},
        "server_ms": exchanges[-1].server_ms if exchanges else {},
        "states": [e.state for e in exchanges],
    }
