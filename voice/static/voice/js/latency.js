// The quiet line at the foot: who gave the last answer, how long it took, for operators its record.

import { byId, el } from "./dom.js";

const NO_TURN = "00000000-0000-0000-0000-000000000000";

export function showLatency({ turn, answered_by: who, timings_ms: timings }) {
  if (!timings) return;
  const parts = [
    [who ? `${who} answered in` : "answered in", timings.first_audio ?? timings.done],
    ["understood after", timings.transcript],
  ].filter(([, ms]) => Number.isFinite(ms));
  if (!parts.length) return;
  const text = parts.map(([name, ms]) => `${name} ${(ms / 1000).toFixed(2)} s`).join(" · ");
  const line = byId("latency");
  const address = line.dataset.turnUrl;
  line.replaceChildren(address ? el("a", { href: address.replace(NO_TURN, turn) }, text) : text);
}
