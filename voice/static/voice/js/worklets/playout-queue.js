// Reply audio waiting to be heard: bounded, knows to the sample what was played of which turn.

const RATE_HZ = 16000;
// The server keeps at most 2 s ahead; more than this means that something is wrong.
const MOST_SAMPLES = 15 * RATE_HZ;
const FADE_SAMPLES = (RATE_HZ * 5) / 1000;
const CLEARED_KEPT = 256;

export class PlayoutQueue {
  constructor() {
    this.chunks = [];
    this.waiting = 0;
    this.cleared = [];
    this.turn = 0;
    this.ms = 0;
    this.played = 0;
    this.dropped = 0;
    this.late = 0;
    this.gaps = 0;
  }

  push(turn, offsetMs, samples) {
    if (this.cleared.includes(turn)) this.late += samples.length;
    else if (this.waiting + samples.length > MOST_SAMPLES) this.dropped += samples.length;
    else {
      this.chunks.push({ turn, offsetMs, samples, at: 0 });
      this.waiting += samples.length;
    }
  }

  // Throws away what waits of `turn`; the next 5 ms fade out instead of clicking.
  clear(turn) {
    this.cleared.push(turn);
    if (this.cleared.length > CLEARED_KEPT) this.cleared.shift();
    const head = this.chunks[0];
    this.chunks = this.chunks.filter((chunk) => chunk.turn !== turn);
    if (head && head.turn === turn && head.at > 0) this.chunks.unshift(faded(head));
    this.waiting = this.chunks.reduce((sum, chunk) => sum + chunk.samples.length - chunk.at, 0);
  }

  // Fills `output` (Float32Array) as far as there is audio; answers the number of samples.
  pull(output) {
    let filled = 0;
    while (filled < output.length && this.chunks.length) {
      const chunk = this.chunks[0];
      const count = Math.min(output.length - filled, chunk.samples.length - chunk.at);
      for (let i = 0; i < count; i++) output[filled + i] = chunk.samples[chunk.at + i];
      chunk.at += count;
      filled += count;
      this.turn = chunk.turn;
      this.ms = chunk.offsetMs + (chunk.at * 1000) / RATE_HZ;
      if (chunk.at === chunk.samples.length) this.chunks.shift();
    }
    this.waiting -= filled;
    this.played += filled;
    if (filled && filled < output.length) this.gaps += 1;
    return filled;
  }
}

function faded(chunk) {
  const samples = chunk.samples.slice(chunk.at, chunk.at + FADE_SAMPLES);
  for (let i = 0; i < samples.length; i++) samples[i] *= 1 - (i + 1) / samples.length;
  const offsetMs = chunk.offsetMs + (chunk.at * 1000) / RATE_HZ;
  return { turn: chunk.turn, offsetMs, samples, at: 0 };
}

// PCM16 little-endian bytes (ArrayBuffer) to samples between -1 and 1.
export function decodePcm16(buffer) {
  const view = new DataView(buffer);
  const samples = new Float32Array(buffer.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true) / 32768;
  return samples;
}
