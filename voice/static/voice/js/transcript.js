// The conversation as it grows, both sides; one entry a turn. Draws messages, decides nothing.

import { Chip } from "./chips.js";
import { byId, el, icon } from "./dom.js";
import { Reply } from "./reply.js";

// A call of half an hour is some hundred turns; older ones leave the page, not the history.
const MOST_ENTRIES = 200;

export class Transcript {
  // `undo(changeId)`: see Chip. `announce(text)`: for screen readers.
  constructor({ undo, announce }) {
    this.box = byId("talk-scroll");
    this.list = byId("transcript");
    this.undo = undo;
    this.announce = announce;
    this.turns = new Map();
    this.pendingTyped = null;
  }

  get empty() {
    return this.list.childElementCount === 0;
  }

  // Turn ids are new in every call: what is on the page stays, but nothing more is added to it.
  newCall() {
    this.turns.clear();
  }

  add(entry) {
    const following = this.atEnd();
    this.list.append(entry);
    while (this.list.childElementCount > MOST_ENTRIES) this.list.firstElementChild.remove();
    if (following) this.follow();
  }

  atEnd() {
    return this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 80;
  }

  follow() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  grow(change) {
    const following = this.atEnd();
    change();
    if (following) this.follow();
  }

  turn(id) {
    const known = this.turns.get(id);
    if (known) return known;
    const said = el("p", { className: "said", hidden: true });
    const chips = el("ul", { className: "chips", hidden: true });
    const answer = el("p", { className: "answer", hidden: true });
    const entry = el("li", { className: "turn" }, said, chips, answer);
    const turn = { entry, said, chips, answer, reply: new Reply(answer), tools: new Map() };
    this.turns.set(id, turn);
    document.body.classList.add("has-talked");
    this.add(entry);
    return turn;
  }

  // Typed words show at once, and become the turn's when the server names it.
  typed(text) {
    const said = el("p", { className: "said interim" }, text);
    this.pendingTyped = el("li", { className: "turn" }, said);
    document.body.classList.add("has-talked");
    this.add(this.pendingTyped);
    this.follow();
  }

  forgetTyped() {
    this.pendingTyped?.remove();
    this.pendingTyped = null;
  }

  transcript({ turn: id, text, final, source }) {
    if (source === "typed") this.forgetTyped();
    const turn = this.turn(id);
    this.grow(() => {
      turn.said.textContent = text;
      turn.said.hidden = !text;
      turn.said.classList.toggle("interim", !final);
    });
    if (final && text) this.announce(`You: ${text}`);
    if (final && !text && !turn.reply.text && !turn.tools.size) this.forget(id);
  }

  forget(id) {
    this.turns.get(id)?.entry.remove();
    this.turns.delete(id);
  }

  // Speech that turned out to be none leaves no words behind.
  dropInterim() {
    for (const [id, { said, reply, tools }] of this.turns) {
      if (said.classList.contains("interim") && !reply.text && !tools.size) this.forget(id);
    }
  }

  replyDelta({ turn: id, text, restart }) {
    const turn = this.turn(id);
    this.grow(() => {
      if (restart) turn.reply.restart();
      turn.answer.hidden = false;
      turn.reply.addText(text);
    });
  }

  sentence(message) {
    const turn = this.turn(message.turn);
    this.grow(() => {
      turn.answer.hidden = false;
      turn.reply.addSentence(message);
    });
  }

  heard(id, ms, bufferedMs) {
    this.turns.get(id)?.reply.heardTo(ms, bufferedMs);
  }

  tool(message) {
    const turn = this.turn(message.turn);
    let chip = turn.tools.get(message.id);
    this.grow(() => {
      if (!chip) {
        chip = new Chip(this.undo);
        turn.tools.set(message.id, chip);
        turn.chips.append(chip.element);
      }
      chip.show(message);
      turn.chips.hidden = !turn.chips.querySelector(".chip:not([hidden])");
    });
    if (message.summary && message.status !== "running") this.announce(message.summary);
  }

  turnDone(message) {
    const turn = this.turns.get(message.turn);
    if (!turn) return;
    this.grow(() => {
      turn.answer.hidden = !(message.reply || turn.reply.text);
      turn.entry.dataset.outcome = message.state;
      turn.reply.finish(message);
      turn.said.classList.remove("interim");
    });
  }

  // A sentence that belongs to no turn: the call ended, a notice, what to do now.
  note(text, level = "info") {
    if (!text) return;
    const sign = level === "info" ? null : icon("alert");
    this.add(el("li", { className: "note", "data-level": level }, sign, el("span", {}, text)));
    this.announce(text);
  }
}
