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
  // Parts in a box each: where the line is too narrow, what comes last is left out as a whole.
  const words = parts.flatMap(([name, ms], at) => [
    " ", el("span", {}, `${at ? "· " : ""}${name} ${(ms / 1000).toFixed(2)} s`),
  ]);
  const line = byId("latency");
  const address = line.dataset.turnUrl;
  line.replaceChildren(el(address ? "a" : "span",
    { href: address ? address.replace(NO_TURN, turn) : null }, ...words.slice(1)));
}
