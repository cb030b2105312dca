// Microphone samples at the context's rate become 40 ms frames of PCM16 at the call's rate.

import { Framer } from "./framer.js";
import { Resampler } from "./resampler.js";

const FRAME_MS = 40;

class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions: { rateHz } }) {
    super();
    this.framer = new Framer((rateHz * FRAME_MS) / 1000);
    this.resampler = sampleRate === rateHz ? null : new Resampler(sampleRate, rateHz);
    this.emit = (frame, rms) => this.port.postMessage({ frame: frame.buffer, rms }, [frame.buffer]);
  }

  process([input]) {
    const samples = input[0];
    if (samples) {
      this.framer.push(this.resampler ? this.resampler.process(samples) : samples, this.emit);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
