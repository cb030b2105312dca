// Keeps a reply's pace where the browser gives no sound: text goes on, positions are still told.

const TICK_MS = 100;

export class SilentClock {
  // `heard({turn, ms, playing, level})`, as the loudspeaker's.
  constructor(heard) {
    this.heard = heard;
    this.stop();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.turn = 0;
  }

  // Audio of `turn` up to `endMs` would be playing now.
  add(turn, startMs, endMs) {
    if (turn !== this.turn) {
      this.stop();
      Object.assign(this, { turn, ms: startMs });
    }
    this.endMs = endMs;
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  tick() {
    this.ms = Math.min(this.endMs, this.ms + TICK_MS);
    const playing = this.ms < this.endMs;
    if (!playing) {
      clearInterval(this.timer);
      this.timer = null;
    }
    this.heard({ turn: this.turn, ms: this.ms, playing, level: 0 });
  }
}
