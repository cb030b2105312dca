// Streaming conversion between sample rates by a windowed-sinc filter; used in both directions.

const ZERO_CROSSINGS = 32;
const PHASES = 256;
// Passband edge as a share of the lower Nyquist frequency: room for the filter to fall.
const EDGE = 0.92;

function kernel(halfWidth, cutoff) {
  // Rows of taps, one per fractional position; a row more so that rows can be interpolated.
  const taps = 2 * halfWidth;
  const table = new Float32Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const x = tap - halfWidth + 1 - phase / PHASES;
      const window = Math.abs(x) >= halfWidth ? 0 : blackman(x / halfWidth);
      const value = cutoff * sinc(cutoff * x) * window;
      table[phase * taps + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < taps; tap++) table[phase * taps + tap] /= sum;
  }
  return table;
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const blackman = (x) => 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);

export class Resampler {
  constructor(fromHz, toHz) {
    this.step = fromHz / toHz;
    const cutoff = Math.min(1, toHz / fromHz) * EDGE;
    this.halfWidth = Math.ceil(ZERO_CROSSINGS / Math.min(1, toHz / fromHz));
    this.taps = 2 * this.halfWidth;
    this.table = kernel(this.halfWidth, cutoff);
    this.reset();
  }

  reset() {
    // Half a filter of silence before the first sample, so that output starts at once.
    this.pending = new Float32Array(this.halfWidth - 1);
    this.position = this.halfWidth - 1;
  }

  // Converts `input` (Float32Array); answers as many samples as are ready.
  process(input) {
    const data = new Float32Array(this.pending.length + input.length);
    data.set(this.pending);
    data.set(input, this.pending.length);
    const last = data.length - this.halfWidth;
    const count = Math.max(0, Math.ceil((last - this.position) / this.step));
    const output = new Float32Array(count);
    for (let i = 0; i < count; i++) output[i] = this.sample(data, this.position + i * this.step);
    this.position += count * this.step;
    const done = Math.max(0, Math.floor(this.position) - this.halfWidth + 1);
    this.pending = data.slice(done);
    this.position -= done;
    return output;
  }

  sample(data, at) {
    const whole = Math.floor(at);
    const phase = (at - whole) * PHASES;
    const row = Math.floor(phase);
    const mix = phase - row;
    const first = whole - this.halfWidth + 1;
    const near = row * this.taps;
    const far = near + this.taps;
    let sum = 0;
    for (let tap = 0; tap < this.taps; tap++) {
      const weight = this.table[near + tap] * (1 - mix) + this.table[far + tap] * mix;
      sum += data[first + tap] * weight;
    }
    return sum;
  }
}
