// The small form with everything about one todo; answers only what was changed.

import { el, icon } from "./dom.js";

const PRIORITIES = ["low", "normal", "high", "urgent"];

// `done` is {save(fields), remove(), cancel()}.
export function editorOf(todo, lists, done) {
  const fields = fieldsOf(todo, lists);
  const form = el("form", { className: "editor", "aria-label": `Details of ${todo.title}` },
    labelled("Title", fields.title.input),
    el("div", { className: "editor-pair" },
      labelled("Due", fields.due.input),
      labelled("Priority", fields.priority.input)),
    labelled("Notes", fields.notes.input),
    el("div", { className: "editor-pair" },
      labelled("For whom", fields.assignee.input),
      labelled("Tags", fields.tags.input)),
    lists.length > 1 ? labelled("List", fields.list.input) : null,
    el("div", { className: "editor-buttons" },
      el("button", { type: "button", className: "danger", onclick: done.remove },
        icon("trash"), "Delete"),
      el("span", { className: "spring" }),
      el("button", { type: "button", className: "plain", onclick: done.cancel }, "Cancel"),
      el("button", { type: "submit", className: "primary" }, "Save")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done.save(changesOf(fields));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") done.cancel();
    event.stopPropagation();
  });
  return form;
}

function fieldsOf(todo, lists) {
  return {
    title: field(el("input", { value: todo.title, maxLength: 200, required: true })),
    due: field(
      el("input", { value: todo.due_text ?? "", placeholder: "tomorrow at five" }),
      (value) => value || null,
    ),
    priority: field(choice(PRIORITIES.map((name) => [name, name]), todo.priority)),
    notes: field(el("textarea", { value: todo.notes ?? "", rows: 2 })),
    assignee: field(el("input", { value: todo.assignee ?? "", maxLength: 80 })),
    tags: field(
      el("input", { value: todo.tags.join(", "), placeholder: "house, money" }),
      (value) => value.split(",").map((tag) => tag.trim().replace(/^#/, "")).filter(Boolean),
    ),
    list: field(choice(lists.map(({ name }) => [name, name]), todo.list)),
  };
}

function field(input, read = (value) => value) {
  return { input, before: input.value, read };
}

function changesOf(fields) {
  const changed = {};
  for (const [name, { input, before, read }] of Object.entries(fields)) {
    const value = input.value.trim();
    if (value !== before.trim()) changed[name] = read(value);
  }
  return changed;
}

function choice(options, chosen) {
  return el("select", {}, ...options.map(([value, label]) =>
    el("option", { value, selected: value === chosen }, label)));
}

const labelled = (text, input) => el("label", { className: "field" }, el("span", {}, text), input);
