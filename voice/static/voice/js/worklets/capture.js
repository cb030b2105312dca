// Microphone samples at the context's rate become 40 ms frames of 16 kHz PCM16.

import { Framer } from "./framer.js";
import { Resampler } from "./resampler.js";

const RATE_HZ = 16000;
const FRAME_SAMPLES = 640;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.framer = new Framer(FRAME_SAMPLES);
    this.resampler = sampleRate === RATE_HZ ? null : new Resampler(sampleRate, RATE_HZ);
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
