// All lines are busy: a card that offers to wait, shows the place in line, and whose turn it is.

import { byId, el, icon } from "./dom.js";
import { WaitSocket } from "./wait-socket.js";
import { WAITING } from "./words.js";

export class Waiting {
  // `call()`: start talking. `announce(text)`, `chime()`. `mayListen()`: a promise, true when the
  // microphone was allowed before, so that a call may begin without a click.
  constructor({ call, announce, chime, mayListen }) {
    this.act = { call, announce, chime, mayListen };
    this.element = byId("waiting");
    this.title = document.title;
    this.socket = null;
  }

  // A call was refused. Whoever waits already goes on waiting.
  offer() {
    if (this.socket) return;
    this.show(WAITING.busy, WAITING.offer, [
      ["plain", WAITING.no, () => this.end()],
      ["primary", WAITING.wait, () => this.wait()],
    ]);
    this.act.announce(`${WAITING.busy} ${WAITING.offer}`);
  }

  wait() {
    this.show(WAITING.joining, "", [["plain", WAITING.leave, () => this.end()]]);
    this.element.querySelector("button").focus();
    this.socket = new WaitSocket({
      line: (place, of) => this.inLine(place, of),
      free: (seconds) => this.free(seconds),
      over: (reason, text) => this.over(reason, text),
    });
    this.offerToBegin();
  }

  // Only where no browser would ask in the moment when nobody may be looking.
  async offerToBegin() {
    if (!(await this.act.mayListen().catch(() => false)) || !this.socket) return;
    this.byItself = el("input", { type: "checkbox", checked: this.byItself?.checked ?? false });
    const label = el("label", { className: "waiting-itself" }, this.byItself, WAITING.byItself);
    this.element.querySelector(".waiting-actions")?.before(label);
  }

  inLine(place, of) {
    const told = place === 1 ? WAITING.next : WAITING.place(place, of);
    const title = this.element.querySelector("b");
    if (title.textContent === told) return;
    title.textContent = told;
    this.element.querySelector(".waiting-more").textContent = WAITING.keepOpen;
    document.title = `${place} · ${this.title}`;
    this.act.announce(told);
  }

  free(seconds) {
    const begins = this.byItself?.checked;
    this.show(WAITING.free, "", [
      ["plain", WAITING.no, () => this.end()],
      ["primary", WAITING.talk, () => this.act.call()],
    ], "free");
    document.title = `☎ ${WAITING.free}`;
    this.count(seconds);
    this.act.chime();
    if (begins) {
      this.act.announce(WAITING.begins);
      this.act.call();
      return;
    }
    // Not announced each second; the title and these words say it once.
    this.act.announce(WAITING.freeFor(seconds));
    // Whoever types meanwhile goes on typing.
    if (!document.activeElement?.matches("input")) this.element.querySelector(".primary").focus();
  }

  count(seconds) {
    const until = performance.now() + seconds * 1000;
    const left = el("span", { "aria-hidden": "true" });
    this.element.querySelector(".waiting-more").append(left);
    clearInterval(this.counting);
    const tick = () => {
      const more = Math.max(0, Math.round((until - performance.now()) / 1000));
      left.textContent = WAITING.kept(more);
    };
    tick();
    this.counting = setInterval(tick, 500);
  }

  over(reason, text) {
    this.socket = null;
    if (reason === "taken") {
      this.end();
      return;
    }
    const again = reason === "missed" || reason === "crowded";
    this.show(text || WAITING.lost, again ? WAITING.again : "", [
      ["plain", again ? WAITING.no : WAITING.close, () => this.end()],
      ...(again ? [["primary", WAITING.wait, () => this.wait()]] : []),
    ]);
    this.act.announce(text || WAITING.lost);
  }

  // A call is up, or the person has changed their mind.
  end() {
    this.socket?.leave();
    this.socket = null;
    this.byItself = null;
    clearInterval(this.counting);
    document.title = this.title;
    this.element.replaceChildren();
    this.element.hidden = true;
  }

  show(told, more, buttons, kind = "busy") {
    clearInterval(this.counting);
    this.element.dataset.kind = kind;
    document.title = this.title;
    this.element.replaceChildren(
      icon("line"),
      el("p", { className: "waiting-text" }, el("b", {}, told), " ",
        el("span", { className: "waiting-more" }, more)),
      el("span", { className: "waiting-actions" }, ...buttons.map(([className, label, onclick]) =>
        el("button", { type: "button", className, onclick }, label))),
    );
    this.element.hidden = false;
  }
}
