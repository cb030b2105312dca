// Plays queued reply audio and reports the position heard, the loudness and the counters.

import { PlayoutQueue, decodePcm16 } from "./playout-queue.js";
import { Resampler } from "./resampler.js";

const REPORT_SECONDS = 0.08;

class Playout extends AudioWorkletProcessor {
  constructor({ processorOptions: { rateHz } }) {
    super();
    this.rateHz = rateHz;
    this.queue = new PlayoutQueue(rateHz);
    this.resampler = sampleRate === rateHz ? null : new Resampler(rateHz, sampleRate);
    this.ready = new Float32Array(0);
    this.peak = 0;
    this.loudest = 0;
    this.playing = false;
    this.reported = 0;
    this.port.onmessage = ({ data }) => this.receive(data);
  }

  receive({ type, turn, offsetMs, pcm }) {
    if (type === "audio") this.queue.push(turn, offsetMs, decodePcm16(pcm));
    if (type === "clear") {
      this.queue.clear(turn);
      this.ready = new Float32Array(0);
      this.report({ cleared: turn });
    }
  }

  process(_inputs, [[output]]) {
    const filled = this.resampler ? this.pullResampled(output) : this.queue.pull(output);
    for (let i = 0; i < filled; i++) this.loudest = Math.max(this.loudest, Math.abs(output[i]));
    const was = this.playing;
    this.playing = filled > 0;
    const due = this.playing && currentTime - this.reported >= REPORT_SECONDS;
    if (due || was !== this.playing) this.report();
    return true;
  }

  // Some browsers ignore the wanted context rate; the position then runs one filter ahead (2 ms).
  pullResampled(output) {
    while (this.ready.length < output.length) {
      const wanted = new Float32Array(Math.ceil((output.length * this.rateHz) / sampleRate) + 1);
      const count = this.queue.pull(wanted);
      if (!count) break;
      const fresh = this.resampler.process(wanted.subarray(0, count));
      const joined = new Float32Array(this.ready.length + fresh.length);
      joined.set(this.ready);
      joined.set(fresh, this.ready.length);
      this.ready = joined;
    }
    const count = Math.min(output.length, this.ready.length);
    output.set(this.ready.subarray(0, count));
    this.ready = this.ready.slice(count);
    return count;
  }

  report(extra = {}) {
    const { turn, ms, played, dropped, late, gaps, waiting } = this.queue;
    this.peak = Math.max(this.peak, this.loudest);
    this.reported = currentTime;
    const counters = { played, dropped, late, gaps, waiting, peak: this.peak };
    this.port.postMessage({
      turn, ms, playing: this.playing, level: this.loudest, counters, ...extra,
    });
    this.loudest = 0;
  }
}

registerProcessor("playout", Playout);
