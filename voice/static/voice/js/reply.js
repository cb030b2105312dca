// The agent's words of one turn: grow as they are made, darken as they are heard, can be cut.

import { el } from "./dom.js";

// How long a character takes to say, until the audio itself tells.
const MS_PER_CHARACTER = 65;

export class Reply {
  constructor(element) {
    this.element = element;
    this.text = "";
    this.sentences = [];
    this.covered = 0;
    this.tail = el("span", { className: "word-wait" });
    this.element.append(this.tail);
    this.heardMs = 0;
    this.closed = false;
  }

  addText(text) {
    this.text += text;
    this.tail.textContent = this.text.slice(this.covered);
  }

  // Another worker took the turn over and says it all again.
  restart() {
    this.text = "";
    this.sentences = [];
    this.covered = 0;
    this.tail.textContent = "";
    this.element.replaceChildren(this.tail);
  }

  // A sentence is about to be spoken: its words can now be timed.
  addSentence({ seq, text, from_ms: fromMs }) {
    if (this.closed || this.sentences.some((sentence) => sentence.seq === seq)) return;
    const found = this.text.indexOf(text, this.covered);
    if (found >= 0) this.covered = found + text.length;
    const sentence = { seq, fromMs, length: text.length, words: [] };
    let at = 0;
    for (const part of text.split(/(?<=\s)/)) {
      const word = el("span", { className: "word" }, part);
      sentence.words.push({ word, at });
      at += part.length;
      this.tail.before(word);
    }
    if (!/\s$/.test(text)) this.tail.before(" ");
    this.sentences.push(sentence);
    this.tail.textContent = this.text.slice(this.covered).trimStart();
  }

  // `ms` of the reply were heard; `bufferedMs` of it have arrived.
  heardTo(ms, bufferedMs) {
    if (this.closed) return;
    this.heardMs = ms;
    this.sentences.forEach((sentence, index) => {
      const next = this.sentences[index + 1];
      const guess = sentence.fromMs + sentence.length * MS_PER_CHARACTER;
      const endMs = next ? next.fromMs : Math.max(guess, bufferedMs);
      for (const { word, at } of sentence.words) {
        const startMs = sentence.fromMs + ((endMs - sentence.fromMs) * at) / sentence.length;
        word.classList.toggle("word-heard", ms > startMs);
      }
    });
  }

  // The exchange is over; `heard` is what the server keeps as heard of an interrupted reply.
  finish({ state, reply, heard }) {
    if (this.closed) return;
    if (state === "interrupted") this.cut(reply || this.text, heard);
    else this.element.replaceChildren(reply || this.text);
    this.closed = true;
  }

  cut(reply, heard) {
    const kept = heard && reply.startsWith(heard) ? heard : this.heardText();
    const rest = reply.slice(kept.length).trimStart();
    this.element.replaceChildren(kept);
    if (!rest) return;
    const struck = el("del", { className: "word-cut" }, rest);
    this.element.append(kept ? " " : "", struck);
    this.element.append(el("span", { className: "cut-note" }, "interrupted"));
  }

  heardText() {
    const heard = this.element.querySelectorAll(".word-heard");
    return [...heard].map((word) => word.textContent).join("").trimEnd();
  }
}
