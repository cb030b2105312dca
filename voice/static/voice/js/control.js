// The round talk control with its mute and hang-up buttons: shows a state, knows no call.

import { ACTIONS, CAPTIONS } from "./words.js";
import { byId } from "./dom.js";

// The level falls slower than it rises, so that the meter breathes instead of flickering.
const FALL = 0.82;

export class TalkControl {
  constructor({ press, mute, hangUp }) {
    this.button = byId("talk");
    this.caption = byId("talk-caption");
    this.mute = byId("mute");
    this.hangUp = byId("hang-up");
    this.level = 0;
    this.button.addEventListener("click", press);
    this.mute.addEventListener("click", mute);
    this.hangUp.addEventListener("click", hangUp);
  }

  show(state, { phase, microphone, muted }) {
    const live = phase === "live";
    document.body.dataset.state = state;
    document.body.dataset.phase = phase;
    this.button.dataset.state = state;
    this.button.setAttribute("aria-label", ACTIONS[state]);
    this.button.title = `${ACTIONS[state]} (Space)`;
    if (this.caption.textContent !== CAPTIONS[state]) this.caption.textContent = CAPTIONS[state];
    this.mute.disabled = !(live && microphone);
    this.mute.setAttribute("aria-pressed", String(muted));
    this.mute.title = muted ? "Unmute the microphone" : "Mute the microphone";
    this.hangUp.disabled = phase === "idle";
    if (!live) this.setLevel(0);
  }

  // `level` is 0 to 1; the same meter serves the microphone and the reply.
  setLevel(level) {
    this.level = level > this.level ? level : Math.max(level, this.level * FALL);
    this.button.style.setProperty("--level", this.level.toFixed(3));
  }
}

// Loudness as people feel it: -55 dB is silence, -10 dB is full.
export function meterLevel(rms) {
  const decibel = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (decibel + 55) / 45));
}
