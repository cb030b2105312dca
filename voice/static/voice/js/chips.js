// One line for each tool call: what is being done, what was changed, and its undo.

import { el, icon } from "./dom.js";

const RUNNING = {
  add_todos: "adding",
  find_todos: "looking at your list",
  change_todo: "changing",
  complete_todos: "checking off",
  reopen_todo: "reopening",
  delete_todos: "deleting",
  create_list: "making a list",
  delete_list: "deleting a list",
  show_lists: "looking at your lists",
  add_reminder: "setting a reminder",
  find_reminders: "looking at your reminders",
  cancel_reminders: "cancelling",
  undo_last_change: "undoing",
  answer_question: "doing that",
  end_call: "saying goodbye",
};
const LOOKED = {
  find_todos: "looked at your list",
  show_lists: "looked at your lists",
  find_reminders: "looked at your reminders",
};

export class Chip {
  // `undo(changeId)` answers a promise of the summary of what was undone.
  constructor(undo) {
    this.undo = undo;
    this.element = el("li", { className: "chip" });
  }

  show({ name, status, summary, change }) {
    this.element.dataset.status = status;
    const text = summary || this.wording(name, status);
    this.element.hidden = !text;
    this.element.replaceChildren(icon(ICONS[status] ?? "check"), el("span", {}, text));
    if (status === "done" && change) this.element.append(this.undoButton(change, text));
  }

  wording(name, status) {
    if (status === "running") return `${RUNNING[name] ?? "working"}…`;
    if (status === "failed") return `could not finish ${RUNNING[name] ?? "that"}`;
    return LOOKED[name] ?? "";
  }

  undoButton(change, text) {
    return el("button", {
      type: "button",
      className: "link",
      "aria-label": `Undo: ${text}`,
      onclick: ({ currentTarget }) => this.takeBack(change, currentTarget),
    }, "undo");
  }

  async takeBack(change, button) {
    button.disabled = true;
    if (await this.undo(change)) {
      this.element.dataset.status = "undone";
      button.replaceWith(el("span", { className: "chip-note" }, "undone"));
    } else {
      button.disabled = false;
    }
  }
}

const ICONS = { running: "dots", done: "check", failed: "alert" };
