// Keyboard: Space talks or mutes, "/" types, Esc interrupts. Never while someone is typing.

export function listenToKeys({ talk, type, interrupt }) {
  document.addEventListener("keydown", (event) => {
    // An open sheet has the keyboard to itself.
    if (document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      interrupt();
      if (isTextField(event.target)) event.target.blur();
      return;
    }
    if (isTextField(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      type();
    }
    // A focused button or link keeps its own meaning of Space.
    if (event.key === " " && !event.repeat && !event.target.closest("button, a, summary, select")) {
      event.preventDefault();
      talk();
    }
  });
}

const isTextField = (element) =>
  element.isContentEditable || element.matches("input, textarea, select");
