// Who answers and in which voice: draws what the server offers and keeps what is chosen there.

import { RequestError, request } from "./api.js";
import { byId, el } from "./dom.js";

const ADDRESS = "/preferences/";
const WAIT = "One moment, the voice is being asked.";
const SAVED = "Kept. It holds from your next words on.";

export class Choices {
  // `hear(voice)`: promise of a sentence for the person, empty when the voice was heard.
  constructor({ hear }) {
    this.hear = hear;
    this.box = byId("choices");
    this.answerers = byId("answerers");
    this.voice = byId("voice");
    this.listen = byId("listen");
    this.said = byId("settings-said");
    this.wanted = null;
    this.answerers.addEventListener("change", ({ target }) =>
      this.choose({ language_model: target.value }));
    this.voice.addEventListener("change", () => {
      this.showVoice();
      this.choose({ voice: this.voice.value });
    });
    this.listen.addEventListener("click", () => this.play());
  }

  async load() {
    this.say("");
    try {
      this.show(await request("GET", ADDRESS));
    } catch (error) {
      this.fail(error);
    }
  }

  // Arrow keys choose as they pass: of several choices made while one is kept, the last counts.
  async choose(fields) {
    const saving = this.wanted !== null;
    this.wanted = { ...this.wanted, ...fields };
    if (saving) return;
    while (Object.keys(this.wanted).length) await this.keep();
    this.wanted = null;
  }

  async keep() {
    const fields = this.wanted;
    this.wanted = {};
    try {
      this.kept = await request("PUT", ADDRESS, fields);
      this.say(SAVED);
    } catch (error) {
      // What is kept is shown again, unless the person has gone on choosing.
      if (!Object.keys(this.wanted).length) this.show(this.kept);
      this.fail(error);
    }
  }

  show(kept) {
    this.kept = kept;
    const { language_models: models, voices } = kept;
    const left = { name: "", label: `Leave it to ${models.left_to}`, note: `now: ${models.now}` };
    const options = [left, ...models.options];
    this.answerers.replaceChildren(...options.map((each) => option(each, kept.language_model)));
    this.voice.replaceChildren(
      new Option(`Left to ${voices.left_to}`, ""),
      ...voices.groups.map(group));
    this.voice.value = kept.voice;
    this.showVoice();
    byId("prefer-local").hidden = !kept.prefer_local;
    this.box.hidden = false;
  }

  showVoice() {
    const { parentElement: group } = this.voice.selectedOptions[0];
    byId("voice-now").textContent = group.label ? `${group.label}.` : `Now: ${this.kept.voices.now}.`;
  }

  async play() {
    if (this.playing) return;
    this.playing = true;
    this.listen.setAttribute("aria-disabled", "true");
    this.say(WAIT);
    this.say(await this.hear(this.voice.value), "error");
    this.listen.removeAttribute("aria-disabled");
    this.playing = false;
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

function option({ name, label, note, reason }, chosen) {
  const more = reason || note;
  const text = el("span", { className: "option-text" }, el("span", {}, label),
    more ? el("span", { className: "option-note" }, more) : null);
  return el("label", { className: "option" },
    el("input", {
      type: "radio",
      name: "language_model",
      value: name,
      checked: name === chosen,
      disabled: Boolean(reason),
    }), text);
}

function group({ label, reason, voices }) {
  const heading = reason ? `${label}: ${reason}` : label;
  return el("optgroup", { label: heading, disabled: Boolean(reason) },
    ...voices.map(({ name, label: voice }) => new Option(voice, name)));
}
