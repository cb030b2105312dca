// Every sentence the page itself says about the call, the microphone and the connection.

export const CAPTIONS = {
  idle: "Press to talk",
  ready: "Type, or press to talk",
  connecting: "Connecting",
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking",
  speaking: "Speaking",
  muted: "Muted",
  offline: "Offline",
};

// What a press of the round control does in each state, for screen readers and as its tooltip.
export const ACTIONS = {
  idle: "Start talking",
  ready: "Start talking",
  connecting: "Connecting",
  listening: "Listening. Mute the microphone",
  hearing: "Hearing you. Mute the microphone",
  thinking: "Thinking. Interrupt",
  speaking: "Speaking. Interrupt",
  muted: "Muted. Unmute the microphone",
  offline: "Offline. Try to connect",
};

const CLOSED = {
  4400: "The server did not understand this page. Reload it and call again.",
  4401: "Your place in the line had expired. Press to talk again.",
  4403: "This page may not open a call here. Reload it and sign in again.",
  4408: "The connection was too slow to keep up, so the call ended. Press to talk again.",
  4409: "You already have as many calls open as allowed. Close another page, then press to talk again.",
  4413: "The server refused a message that was too large. Reload the page and call again.",
  4429: "That was too much at once, so the call ended. Wait a moment, then press to talk again.",
  4430: "This call reached its longest length and ended. Everything was kept; press to talk again.",
  4503: "All lines are busy right now. Nothing was changed; try again in a minute.",
};
const LOST = "The connection was lost. What was done is kept; press to talk again.";
const NEVER_OPEN = "The call could not be opened. Check the connection, then press to talk again.";

export function closeSentence(code, wasReady) {
  if (code === 1000) return "";
  return CLOSED[code] ?? (wasReady ? LOST : NEVER_OPEN);
}

export function microphoneSentence(error, secure) {
  if (!secure) {
    return "Browsers give a microphone only to secure pages. Open this page at http://localhost on its own machine, or over https. You can type meanwhile.";
  }
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The microphone is blocked for this page. Allow it in the site settings left of the address, then press again. You can type meanwhile.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No microphone was found. Plug one in or switch it on, then press again. You can type meanwhile.";
    case "NotReadableError":
    case "AbortError":
      return "The microphone is in use by another program. Close that one, then press again. You can type meanwhile.";
    default:
      return "This browser could not open the microphone. Try another browser or reload the page. You can type meanwhile.";
  }
}

export const WAITING = {
  busy: "All lines are busy.",
  offer: "Wait for a free line?",
  wait: "Wait for a free line",
  no: "Not now",
  leave: "Leave the line",
  close: "Close",
  joining: "Joining the line…",
  next: "You are next.",
  place: (place, of) => `You are number ${place} of ${of} in line.`,
  keepOpen: "Keep this page open: a tone tells when it is your turn.",
  byItself: "Start the call by itself when it is my turn",
  free: "A line is free.",
  freeFor: (seconds) => `A line is free and kept for you for ${seconds} seconds. Press Start talking.`,
  kept: (seconds) => `Kept for you for ${seconds} s.`,
  begins: "A line is free. The call begins.",
  talk: "Start talking",
  again: "Wait again?",
  lost: "Your place in the line was lost.",
};

export const MICROPHONE_GONE = "The microphone was disconnected. Plug it in and press to talk again, or type.";
export const NO_SOUND = "This browser plays no sound on this page, so replies are shown only as text.";
export const NO_SAMPLE = "This browser plays no sound on this page. Allow sound for it in the site settings, then listen again.";
export const SIGNED_OUT = "You have been signed out. Reload the page to sign in again.";
export const OFFLINE = "The server cannot be reached. The page keeps trying; nothing is lost.";
