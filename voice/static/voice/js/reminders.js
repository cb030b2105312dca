// Reminders that are due now: a card on the page, spoken when no call does, told back once.

import { byId, el, icon } from "./dom.js";

const KEPT_IDS = 100;

export class DueReminders {
  // `speak(url)`: promise, resolved when the clip ended or may not sound. `inCall()`: bool.
  // `told(id)`: tell the server. `again(text)`: remind once more in ten minutes.
  constructor({ speak, inCall, told, again, announce }) {
    this.act = { speak, inCall, told, again, announce };
    this.element = byId("due");
    this.seen = new Set();
  }

  // From the page socket. In a call, the call speaks it and the server knows that it was told.
  async due({ id, text, speech, audio }) {
    if (!this.show(id, text) || this.act.inCall()) return;
    this.act.announce(speech || text);
    if (audio) await this.act.speak(audio).catch(() => false);
    this.act.told(id);
  }

  // From the call socket, whose audio follows.
  inCallDue({ id, text }) {
    this.show(id, text);
  }

  show(id, text) {
    if (this.seen.has(id)) return false;
    this.seen.add(id);
    if (this.seen.size > KEPT_IDS) this.seen.delete(this.seen.values().next().value);
    const card = el("li", { className: "due-card" }, icon("bell"),
      el("span", { className: "due-text" }, el("b", {}, "Now"), " ", text),
      el("button", { type: "button", className: "plain", onclick: () => this.snooze(card, text) },
        "In 10 min"),
      el("button", { type: "button", className: "primary", onclick: () => card.remove() }, "Done"));
    this.element.append(card);
    return true;
  }

  snooze(card, text) {
    card.remove();
    this.act.again(text);
  }
}
