// One short sentence at the foot of the page, with an action while there is time for it.

import { byId, el } from "./dom.js";

const SHOWN_MS = 8000;

export class Toast {
  constructor() {
    this.element = byId("toast");
    this.element.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.element.addEventListener("focusin", () => clearTimeout(this.timer));
    this.element.addEventListener("pointerleave", () => this.expire());
    this.element.addEventListener("focusout", () => this.expire());
  }

  // `action` is {label, run} or nothing.
  show(text, { action = null, level = "info" } = {}) {
    this.element.dataset.level = level;
    this.element.replaceChildren(el("span", {}, text));
    if (action) {
      const run = () => {
        this.hide();
        action.run();
      };
      const button = el("button", { type: "button", className: "link", onclick: run }, action.label);
      this.element.append(button);
    }
    this.element.hidden = false;
    this.expire();
  }

  expire() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), SHOWN_MS);
  }

  hide() {
    this.element.hidden = true;
  }
}
