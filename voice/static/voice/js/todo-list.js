// The list beside the conversation: groups, rows kept by id, done ones and reminders below.

import { byId, el, icon } from "./dom.js";
import { TodoRow } from "./todo-row.js";

export class TodoList {
  // `act` is what a person may do here: patch(id, fields), remove(todo), cancelReminder(reminder).
  constructor(act) {
    this.act = act;
    this.groups = byId("todo-groups");
    this.doneBox = byId("todo-done");
    this.doneList = byId("todo-done-list");
    this.doneCount = byId("todo-done-count");
    this.empty = byId("todo-empty");
    this.reminderBox = byId("reminders");
    this.reminderList = byId("reminder-list");
    this.rows = new Map();
  }

  show({ lists, todos, reminders }, glow) {
    this.lists = lists;
    const focus = this.rememberFocus();
    const open = todos.filter((todo) => !todo.done);
    const done = todos.filter((todo) => todo.done);
    this.forgetMissing(todos);
    this.groups.replaceChildren(...this.groupsOf(lists, open));
    this.doneList.replaceChildren(...done.map((todo) => this.row(todo)));
    this.doneBox.hidden = done.length === 0;
    this.doneCount.textContent = String(done.length);
    this.empty.hidden = open.length > 0;
    byId("todo-count").textContent = open.length ? `${open.length} open` : "";
    this.showReminders(reminders);
    for (const id of glow) this.rows.get(id)?.glow();
    this.restoreFocus(focus);
  }

  groupsOf(lists, open) {
    const inList = ({ name }) => open.filter((todo) => todo.list === name);
    const wanted = lists.filter((list) => !list.default || inList(list).length);
    return wanted.map((list) => {
      const mine = inList(list);
      const rows = el("ul", { className: "rows" }, ...mine.map((todo) => this.row(todo)));
      const heading = el("h3", { className: "group-name" }, list.name);
      const nothing = mine.length ? null : el("p", { className: "quiet" }, "Nothing here yet.");
      const alone = lists.length === 1;
      return el("section", { className: "group" }, alone ? null : heading, rows, nothing);
    });
  }

  // The same element for the same todo, so that an open editor and the focus survive a change.
  row(todo) {
    let row = this.rows.get(todo.id);
    if (!row) {
      row = new TodoRow(this.act, () => this.lists);
      this.rows.set(todo.id, row);
    }
    row.show(todo);
    return row.element;
  }

  // Moving a row within the page takes the focus from it, and drawing replaces its parts.
  rememberFocus() {
    const element = document.activeElement;
    const row = element.closest(".todo");
    return row && { element, id: Number(row.dataset.id), part: element.dataset.part };
  }

  restoreFocus(focus) {
    if (!focus || focus.element === document.activeElement) return;
    const { element, id, part } = focus;
    const again = element.isConnected ? element : this.rows.get(id)?.part(part);
    again?.focus({ preventScroll: true });
  }

  forgetMissing(todos) {
    const present = new Set(todos.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!present.has(id)) this.rows.delete(id);
  }

  showReminders(reminders) {
    this.reminderBox.hidden = reminders.length === 0;
    this.reminderList.replaceChildren(...reminders.map((reminder) => this.reminder(reminder)));
  }

  reminder(reminder) {
    const when = [reminder.due_text, reminder.repeat_text].filter(Boolean).join(" · ");
    const cancel = el("button", {
      type: "button",
      className: "icon-button row-action",
      title: "Cancel this reminder",
      "aria-label": `Cancel the reminder: ${reminder.text}`,
      onclick: () => this.act.cancelReminder(reminder),
    }, icon("close"));
    return el("li", { className: "reminder" }, icon("bell"),
      el("span", { className: "row-main" },
        el("span", { className: "row-title" }, reminder.text),
        el("span", { className: "row-meta" }, when)),
      cancel);
  }
}
