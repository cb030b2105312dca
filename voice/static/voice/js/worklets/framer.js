// Cuts a stream of samples into PCM16 frames of fixed length, each with its loudness.

export class Framer {
  constructor(samplesPerFrame) {
    this.size = samplesPerFrame;
    this.start();
  }

  start() {
    this.frame = new Int16Array(this.size);
    this.filled = 0;
    this.energy = 0;
  }

  // Calls `emit(pcm: Int16Array, rms: number)` for every frame completed by `samples`.
  push(samples, emit) {
    for (const sample of samples) {
      const clipped = Math.max(-1, Math.min(1, sample));
      this.frame[this.filled++] = Math.round(clipped * 32767);
      this.energy += clipped * clipped;
      if (this.filled === this.size) {
        const { frame, energy } = this;
        this.start();
        emit(frame, Math.sqrt(energy / this.size));
      }
    }
  }
}
