// The page's loudspeaker: reply audio with the position heard, spoken reminders and earcons.

import { counters } from "./counters.js";
import { USUAL_RATE_HZ } from "./rates.js";
import { SilentClock } from "./silent-clock.js";

// A browser that allows sound starts it well within this; otherwise replies are only text.
const START_MS = 1500;
const WORKLET = new URL("./worklets/playout.js", import.meta.url);

export class Playout {
  // `heard({turn, ms, playing, level})` is called about every 80 ms while audio plays.
  constructor({ heard }) {
    this.heard = heard;
    this.sound = true;
    this.rateHz = USUAL_RATE_HZ;
    this.opening = null;
    this.silent = new SilentClock(heard);
  }

  // Call from a click or key press first: browsers let no page make a sound before one.
  open() {
    this.opening ??= this.start();
    this.context?.resume();
    return this.opening;
  }

  async start() {
    const { rateHz } = this;
    this.context = new AudioContext({ sampleRate: rateHz, latencyHint: "interactive" });
    const running = this.context.resume();
    counters.playoutHz = this.context.sampleRate;
    this.gain = this.context.createGain();
    this.gain.connect(this.context.destination);
    this.setSound(this.sound);
    await this.context.audioWorklet.addModule(WORKLET);
    const options = { outputChannelCount: [1], processorOptions: { rateHz } };
    this.node = new AudioWorkletNode(this.context, "playout", options);
    this.node.port.onmessage = ({ data }) => this.report(data);
    this.node.connect(this.gain);
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, START_MS))]);
  }

  // The next call's audio has another rate. Between calls: what was to be played is forgotten.
  async setRate(rateHz) {
    if (rateHz === this.rateHz) return;
    this.rateHz = rateHz;
    if (!this.opening) return;
    await this.opening;
    const old = this.context;
    this.node = null;
    this.opening = this.start();
    old.close();
    await this.opening;
  }

  get audible() {
    return Boolean(this.node) && this.context.state === "running";
  }

  // One binary message of the call socket: two little-endian uint32, then PCM16 at the call's rate.
  // Answers what it holds, as {turn, endMs}.
  play(message) {
    const header = new DataView(message, 0, 8);
    const [turn, offsetMs] = [header.getUint32(0, true), header.getUint32(4, true)];
    const pcm = message.slice(8);
    const endMs = offsetMs + ((pcm.byteLength >> 1) * 1000) / this.rateHz;
    if (this.audible) {
      this.node.port.postMessage({ type: "audio", turn, offsetMs, pcm }, [pcm]);
    } else {
      this.silent.add(turn, offsetMs, endMs);
    }
    return { turn, endMs };
  }

  clear(turn) {
    this.silent.stop();
    this.node?.port.postMessage({ type: "clear", turn });
  }

  // The audio still plays without sound, so that the conversation goes on at its own pace.
  setSound(on) {
    this.sound = on;
    this.gain?.gain.setTargetAtTime(on ? 1 : 0, this.context.currentTime, 0.01);
  }

  report({ turn, ms, playing, level, counters: told, cleared }) {
    counters.samplesPlayed = told.played;
    counters.samplesDropped = told.dropped;
    counters.samplesLate = told.late;
    counters.gaps = told.gaps;
    counters.peak = told.peak;
    if (cleared !== undefined) counters.lastClearedAt = performance.now();
    // What left the queue is heard only after the output's own delay.
    const delayMs = playing ? (this.context.outputLatency || 0) * 1000 : 0;
    this.heard({ turn, ms: Math.max(0, Math.round(ms - delayMs)), playing, level });
  }

  // Plays a whole WAV (ArrayBuffer); answers false where the browser allows no sound yet.
  // `always`: the person asked for this sound, so it plays with spoken replies switched off, too.
  async playClip(wav, { always = false } = {}) {
    await this.open();
    if (!this.audible) return false;
    const source = this.context.createBufferSource();
    source.buffer = await this.context.decodeAudioData(wav);
    source.connect(always ? this.context.destination : this.gain);
    const ended = new Promise((resolve) => (source.onended = resolve));
    source.start();
    await ended;
    counters.clipsPlayed += 1;
    return true;
  }
}
