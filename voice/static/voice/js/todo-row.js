// One todo on the page: number, check, title to edit in place, its facts, and its editor.

import { el, icon } from "./dom.js";
import { editorOf } from "./todo-editor.js";

export class TodoRow {
  constructor(act, lists) {
    this.act = act;
    this.lists = lists;
    this.editing = false;
    this.element = el("li", { className: "todo" });
    this.element.addEventListener("animationend", () => this.element.classList.remove("glow"));
  }

  show(todo) {
    this.todo = todo;
    if (!this.editing) this.draw();
  }

  draw() {
    const { todo } = this;
    this.element.classList.toggle("done", todo.done);
    this.element.dataset.id = todo.id;
    this.element.dataset.priority = todo.priority;
    const parts = [this.number(), this.check(), this.main(), this.more()];
    this.element.replaceChildren(...parts);
  }

  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  number() {
    return el("span", { className: "row-number", title: `Say “number ${this.todo.number}”` },
      this.todo.done ? "" : String(this.todo.number ?? ""));
  }

  check() {
    const { todo } = this;
    return el("button", {
      type: "button",
      className: "check",
      role: "checkbox",
      "data-part": "check",
      "aria-checked": String(todo.done),
      "aria-label": `${todo.done ? "Reopen" : "Complete"}: ${todo.title}`,
      onclick: () => this.act.patch(todo, { done: !todo.done }),
    }, icon("check"));
  }

  main() {
    const title = el("button", {
      type: "button",
      className: "row-title",
      "data-part": "title",
      title: "Edit the title",
      onclick: () => this.editTitle(),
    }, this.todo.title);
    const facts = this.facts();
    const meta = facts.length ? el("span", { className: "row-meta" }, ...facts) : null;
    return el("span", { className: "row-main" }, title, meta);
  }

  facts() {
    const { due_text: due, overdue, priority, repeat_text: repeat, assignee, tags, notes } = this.todo;
    const late = overdue && !this.todo.done;
    const marked = priority === "high" || priority === "urgent";
    return [
      due && el("span", { className: late ? "fact late" : "fact" }, late ? `overdue, ${due}` : due),
      repeat && el("span", { className: "fact" }, icon("repeat"), repeat),
      marked && el("span", { className: "fact priority" }, icon("flag"), priority),
      priority === "low" && el("span", { className: "fact" }, "low priority"),
      assignee && el("span", { className: "fact" }, icon("person"), assignee),
      ...tags.map((tag) => el("span", { className: "fact" }, `#${tag}`)),
      notes && el("span", { className: "fact note-text" }, icon("note"), notes),
    ].filter(Boolean);
  }

  more() {
    return el("button", {
      type: "button",
      className: "icon-button row-action",
      "data-part": "more",
      title: "Details",
      "aria-label": `Details: ${this.todo.title}`,
      "aria-expanded": "false",
      onclick: () => this.editAll(),
    }, icon("more"));
  }

  editTitle() {
    const before = this.todo.title;
    const input = el("input", {
      className: "title-input",
      value: before,
      maxLength: 200,
      enterKeyHint: "done",
      "aria-label": "Title",
    });
    const finish = (save) => {
      if (!this.editing) return;
      this.stopEditing("title");
      const title = input.value.trim();
      if (save && title && title !== before) this.act.patch(this.todo, { title });
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      // Or the key would also press the button that gets the focus now.
      event.preventDefault();
      finish(event.key === "Enter");
    });
    // A redrawn list takes the focus for a moment and gives it back.
    const left = () => document.activeElement !== input && finish(true);
    input.addEventListener("blur", () => setTimeout(left));
    this.editing = true;
    this.element.querySelector(".row-title").replaceWith(input);
    input.select();
  }

  editAll() {
    this.editing = true;
    const form = editorOf(this.todo, this.lists(), {
      save: async (fields) => {
        const changed = Object.keys(fields).length > 0;
        if (changed && !(await this.act.patch(this.todo, fields))) return;
        this.stopEditing("more");
      },
      remove: () => {
        this.stopEditing(null);
        this.act.remove(this.todo);
      },
      cancel: () => this.stopEditing("more"),
    });
    this.element.classList.add("editing");
    this.element.replaceChildren(form);
    form.querySelector("input").focus({ preventScroll: true });
    form.scrollIntoView({ block: "nearest" });
  }

  stopEditing(part) {
    const focused = this.element.contains(document.activeElement);
    this.editing = false;
    this.element.classList.remove("editing");
    this.draw();
    if (focused && part) this.part(part).focus();
  }

  glow() {
    this.element.classList.remove("glow");
    void this.element.offsetWidth; // Starts the animation anew when it is still running.
    this.element.classList.add("glow");
    // Within the list only: a page that scrolls by itself would take the conversation away.
    const box = this.element.closest(".list-area");
    if (box.scrollHeight > box.clientHeight) this.element.scrollIntoView({ block: "nearest" });
  }
}
