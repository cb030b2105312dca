// What the round control shows, as a pure function of what is known about the call.

export const START = Object.freeze({
  phase: "idle", // idle, connecting, live
  server: "listening", // the last `state` message of a live call
  microphone: false, // the call has an open microphone
  muted: false,
  reachable: true,
});

export function shown({ phase, server, microphone, muted, reachable }) {
  if (phase === "connecting") return "connecting";
  if (phase === "idle") return reachable ? "idle" : "offline";
  if (server === "thinking" || server === "speaking") return server;
  if (!microphone) return "ready";
  return muted ? "muted" : server;
}

// What a press of the control (or Space) means where it is pressed.
export function pressed(state) {
  switch (state) {
    case "thinking":
    case "speaking":
      return "interrupt";
    case "listening":
    case "hearing":
    case "muted":
      return "mute";
    case "connecting":
      return "nothing";
    default:
      return "talk";
  }
}
