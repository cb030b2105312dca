// Three short tones: a call starts, ends, or something went wrong.

const TUNES = {
  start: [[523, 0], [784, 0.09]],
  end: [[784, 0], [523, 0.09]],
  error: [[233, 0], [208, 0.14]],
};
const LOUDNESS = 0.09;

// `output` is a Playout; a page that may not sound yet stays silent.
export function playEarcon(output, name) {
  const { context } = output;
  if (context?.state !== "running") return;
  for (const [hertz, delay] of TUNES[name]) note(context, hertz, context.currentTime + delay);
}

function note(context, hertz, at) {
  const tone = context.createOscillator();
  const envelope = context.createGain();
  tone.frequency.value = hertz;
  envelope.gain.setValueAtTime(0, at);
  envelope.gain.linearRampToValueAtTime(LOUDNESS, at + 0.012);
  envelope.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
  tone.connect(envelope).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.18);
}
