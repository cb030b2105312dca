// One person's conversation: ties microphone, call socket and loudspeaker together.

import { openMicrophone } from "./capture.js";
import { CallSocket } from "./call-socket.js";
import { RequestError } from "./api.js";
import { START } from "./state.js";
import { MICROPHONE_GONE, NO_SOUND, closeSentence, microphoneSentence } from "./words.js";
import { meterLevel } from "./control.js";

// The protocol asks for a position at least every 250 ms; reports come about every 80 ms.
const PLAYED_EVERY_MS = 160;

export class Conversation {
  // `events`: changed(facts), message(m), heard(turnId, ms, bufferedMs), level(0..1),
  // problem(sentence, {typing}), busy(), ended(sentence).
  constructor(playout, events) {
    this.playout = playout;
    this.events = events;
    this.facts = START;
    this.socket = null;
    this.microphone = null;
    this.forgetTurns();
  }

  forgetTurns() {
    this.turnIds = new Map(); // turn number in the call -> turn id
    this.spoken = ""; // id of the turn whose sentence was announced last
    this.buffered = new Map(); // turn number -> end in ms of the audio received
    this.playing = 0; // turn number whose audio sounds now
    this.position = null; // the last `played` message, sent or not
    this.toldAt = 0;
    this.held = null; // what came while the sound took the call's rate
  }

  update(facts) {
    this.facts = Object.freeze({ ...this.facts, ...facts });
    this.events.changed(this.facts);
  }

  // Starts a call with the microphone, or adds the microphone to a typed one.
  async talk() {
    if (this.facts.phase === "connecting" || this.facts.microphone) return;
    const live = this.facts.phase === "live";
    this.openSound();
    if (!live) this.begin();
    const microphone = await this.openMicrophone();
    if (!microphone || this.facts.phase === "idle") {
      microphone?.close();
      if (!live) this.abandon();
      return;
    }
    this.microphone = microphone;
    this.update({ microphone: true, muted: false });
    if (live) this.socket.send({ type: "mute", muted: false });
    else await this.connect(true);
  }

  async openMicrophone() {
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotSupportedError");
      return await openMicrophone({
        rateHz: this.playout.rateHz,
        frame: (frame, rms) => this.hear(frame, rms),
        gone: () => this.microphoneGone(),
      });
    } catch (error) {
      this.events.problem(microphoneSentence(error, window.isSecureContext), { typing: true });
      return null;
    }
  }

  openSound() {
    this.sounding = this.playout.open().catch(() => this.events.problem(NO_SOUND, {}));
  }

  // Sends a typed turn, opening a call without microphone when none is up.
  async say(text) {
    this.openSound();
    if (this.facts.phase === "connecting") await this.opening;
    if (this.facts.phase === "idle") {
      this.begin();
      await this.connect(false);
    }
    if (this.facts.phase !== "live") return false;
    this.socket.send({ type: "text", text });
    return true;
  }

  begin() {
    this.opening = new Promise((resolve) => (this.settled = resolve));
    this.update({ phase: "connecting", server: "listening", muted: false });
  }

  abandon() {
    this.update({ phase: "idle" });
    this.settled();
  }

  connect(microphone) {
    this.forgetTurns();
    const socket = new CallSocket({
      message: (message) => this.inOrder(() => this.receive(message)),
      audio: (data) => this.inOrder(() => this.play(data)),
      ready: () => this.adapt(socket),
      closed: (code, bye, wasReady) => this.closed(socket, code, bye, wasReady),
    });
    this.socket = socket;
    this.sounding.then(() => socket.open(microphone)).catch((error) => {
      const known = error instanceof RequestError;
      this.closed(socket, 0, known ? error.message : "", false);
    });
    return this.opening;
  }

  // The call is up. Microphone and loudspeaker take its rate before anything is heard or said.
  async adapt(socket) {
    const held = (this.held = []);
    const { rateHz } = socket;
    await Promise.all([
      this.playout.setRate(rateHz).catch(() => this.events.problem(NO_SOUND, {})),
      this.microphone?.setRate(rateHz).catch(() => this.microphoneGone()),
    ]);
    if (socket !== this.socket) return;
    this.held = null;
    this.update({ phase: "live" });
    this.settled();
    held.forEach((act) => act());
  }

  inOrder(act) {
    if (this.held) this.held.push(act);
    else act();
  }

  receive(message) {
    const { type, turn, number } = message;
    if (turn && number) this.turnIds.set(number, turn);
    if (type === "state") this.update({ server: message.state });
    if (type === "sentence") this.spoken = turn;
    if (type === "clear") this.playout.clear(number);
    this.events.message(message);
  }

  play(data) {
    if (data.byteLength < 8) return;
    const { turn, endMs } = this.playout.play(data);
    if (!this.turnIds.has(turn)) this.turnIds.set(turn, this.spoken);
    this.buffered.set(turn, Math.max(endMs, this.buffered.get(turn) ?? 0));
  }

  // The loudspeaker's position; told to the server often enough, and at once when it stops.
  heard({ turn, ms, playing, level }) {
    if (this.facts.phase !== "live") return;
    this.playing = playing ? turn : 0;
    if (this.facts.server === "speaking") this.events.level(playing ? Math.sqrt(level) : 0);
    const id = this.turnIds.get(turn);
    if (!id) return;
    this.events.heard(id, ms, this.buffered.get(turn) ?? ms);
    this.position = { type: "played", turn: id, ms };
    if (playing && performance.now() - this.toldAt < PLAYED_EVERY_MS) return;
    this.tellPosition();
  }

  tellPosition() {
    this.toldAt = performance.now();
    this.socket.send(this.position);
  }

  hear(frame, rms) {
    const { muted, phase, server } = this.facts;
    if (phase !== "live" || muted) return;
    this.socket.sendAudio(frame);
    if (server === "listening" || server === "hearing") this.events.level(meterLevel(rms));
  }

  // Silence first, then the message: the ear is quicker than the network.
  interrupt() {
    if (this.facts.phase !== "live") return;
    if (this.playing) {
      this.playout.clear(this.playing);
      this.tellPosition();
    }
    this.socket.send({ type: "interrupt" });
  }

  setMuted(muted) {
    if (!this.microphone) return;
    this.microphone.setMuted(muted);
    this.socket?.send({ type: "mute", muted });
    this.update({ muted });
    this.events.level(0);
  }

  microphoneGone() {
    if (!this.microphone) return;
    this.dropMicrophone();
    this.socket?.send({ type: "mute", muted: true });
    this.update({ microphone: false, muted: false });
    this.events.problem(MICROPHONE_GONE, { typing: true });
  }

  dropMicrophone() {
    this.microphone?.close();
    this.microphone = null;
  }

  hangUp() {
    if (this.socket && !this.socket.finished) this.socket.hangUp();
    else if (this.facts.phase === "connecting") this.abandon();
  }

  closed(socket, code, bye, wasReady) {
    if (socket !== this.socket) return;
    socket.finished = true;
    if (this.playing) this.playout.clear(this.playing);
    this.dropMicrophone();
    this.socket = null;
    this.update({ phase: "idle", microphone: false, muted: false, server: "listening" });
    this.settled();
    const sentence = bye || closeSentence(code, wasReady);
    if (code === 1000) this.events.ended(bye);
    else if (socket.busy) this.events.busy();
    else this.events.problem(sentence, {});
  }

  setReachable(reachable) {
    if (reachable !== this.facts.reachable) this.update({ reachable });
  }
}
