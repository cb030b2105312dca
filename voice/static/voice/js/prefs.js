// What this browser remembers for its person: sound choices, nothing else.

const PREFIX = "convonet.";

export function remembered(name, fallback) {
  try {
    const value = localStorage.getItem(PREFIX + name);
    return value === null ? fallback : value === "on";
  } catch {
    return fallback; // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

export function remember(name, on) {
  try {
    localStorage.setItem(PREFIX + name, on ? "on" : "off");
  } catch {
    // See above.
  }
}
