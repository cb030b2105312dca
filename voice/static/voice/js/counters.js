// Plain numbers of this page's audio, readable as `window.convonet`.

export const counters = {
  state: "idle",
  framesSent: 0,
  framesDropped: 0,
  captureHz: 0,
  playoutHz: 0,
  samplesPlayed: 0,
  samplesDropped: 0,
  samplesLate: 0,
  gaps: 0,
  peak: 0,
  clipsPlayed: 0,
  lastClearedAt: 0,
};
