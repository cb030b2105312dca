// The telephone's part of the settings: numbers, PIN, reminders that ring, recording.

import { RequestError, request } from "./api.js";
import { byId, el, icon } from "./dom.js";

const KEPT = "Kept.";
const STATES = {
  set: "A PIN is set.",
  none: "Four to six digits. Without a PIN you are a guest on the telephone.",
};

export class Phone {
  constructor() {
    this.box = byId("phone");
    if (!this.box) return;
    this.address = this.box.dataset.url;
    this.said = byId("settings-said");
    this.number = byId("phone-number");
    this.pin = byId("phone-pin");
    this.rings = byId("phone-rings");
    this.recorded = byId("phone-recorded");
    byId("phone-number-form").addEventListener("submit", (event) => this.add(event));
    byId("phone-pin-form").addEventListener("submit", (event) => this.setPin(event));
    byId("phone-pin-remove").addEventListener("click", () => this.removePin());
    this.rings.addEventListener("change", () => this.change("PUT", "", { rings: this.rings.checked }));
    this.recorded.addEventListener("change", () =>
      this.change("PUT", "", { recorded: this.recorded.value }));
  }

  // Where there is no telephone, there is nothing to load.
  async load() {
    if (!this.box) return;
    try {
      this.show(await request("GET", this.address));
    } catch (error) {
      this.fail(error);
    }
  }

  async add(event) {
    event.preventDefault();
    const number = this.number.value.trim();
    if (!number) return this.number.focus();
    if (await this.change("POST", "numbers/", { number })) this.number.value = "";
    return this.number.focus();
  }

  async setPin(event) {
    event.preventDefault();
    const pin = this.pin.value;
    if (!pin) return this.pin.focus();
    if (await this.change("PUT", "pin/", { pin }, "Your PIN is set.")) this.pin.value = "";
    return this.pin.focus();
  }

  async removePin() {
    if (await this.change("DELETE", "pin/", undefined, "You have no PIN any more.")) this.pin.focus();
  }

  // True when it was kept; else what is kept is shown again, with the reason.
  async change(method, path, body, done = KEPT) {
    try {
      this.show(await request(method, this.address + path, body));
      this.say(done);
      return true;
    } catch (error) {
      this.show(this.kept);
      this.fail(error);
      return false;
    }
  }

  show(kept) {
    this.kept = kept;
    byId("phone-numbers").replaceChildren(...kept.numbers.map((number) => this.row(number)));
    byId("phone-pin-state").textContent = kept.has_pin ? STATES.set : STATES.none;
    byId("phone-pin-remove").hidden = !kept.has_pin;
    this.pin.placeholder = kept.has_pin ? "New PIN" : "Your PIN";
    this.rings.checked = kept.rings;
    byId("phone-rings-row").hidden = !kept.can_ring;
    this.recorded.value = kept.recorded;
    this.box.hidden = false;
  }

  row(number) {
    const label = `Remove ${number}`;
    return el("li", {}, el("span", {}, number),
      el("button", {
        type: "button",
        className: "icon-button",
        "aria-label": label,
        title: label,
        onclick: () => this.remove(number),
      }, icon("close")));
  }

  async remove(number) {
    await this.change("DELETE", "numbers/", { number });
    this.number.focus();
  }

  fail(error) {
    if (!(error instanceof RequestError)) throw error;
    this.say(error.message, "error");
  }

  say(sentence, level = "info") {
    this.said.dataset.level = level;
    this.said.textContent = sentence;
  }
}
