// Reply audio waiting to be heard: bounded, knows to the sample what was played of which turn.

// The server keeps at most 2 s ahead; more than this means that something is wrong.
const MOST_SECONDS = 15;
const FADE_MS = 5;
const CLEARED_KEPT = 256;

export class PlayoutQueue {
  constructor(rateHz) {
    this.rateHz = rateHz;
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
    const most = MOST_SECONDS * this.rateHz;
    if (this.cleared.includes(turn)) this.late += samples.length;
    else if (this.waiting + samples.length > most) this.dropped += samples.length;
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
    if (head && head.turn === turn && head.at > 0) this.chunks.unshift(this.faded(head));
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
      this.ms = this.playedTo(chunk);
      if (chunk.at === chunk.samples.length) this.chunks.shift();
    }
    this.waiting -= filled;
    this.played += filled;
    if (filled && filled < output.length) this.gaps += 1;
    return filled;
  }

  faded(chunk) {
    const count = (this.rateHz * FADE_MS) / 1000;
    const samples = chunk.samples.slice(chunk.at, chunk.at + count);
    for (let i = 0; i < samples.length; i++) samples[i] *= 1 - (i + 1) / samples.length;
    return { turn: chunk.turn, offsetMs: this.playedTo(chunk), samples, at: 0 };
  }

  // In ms of the reply, how far this chunk was taken.
  playedTo(chunk) {
    return chunk.offsetMs + (chunk.at * 1000) / this.rateHz;
  }
}

// PCM16 little-endian bytes (ArrayBuffer) to samples between -1 and 1.
export function decodePcm16(buffer) {
  const view = new DataView(buffer);
  const samples = new Float32Array(buffer.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(i * 2, true) / 32768;
  return samples;
}
