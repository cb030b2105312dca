// The rates that calls have: 16 kHz, or that of a model which hears and speaks by itself.

export const USUAL_RATE_HZ = 16000;

// Of the server's `ready`, for example `pcm16/24000`; NaN for audio this page cannot play.
export function rateOf(audio) {
  const [encoding, rate] = audio.split("/");
  return encoding === "pcm16" ? Number(rate) : NaN;
}
