// Hears of changes to the person's list and of due reminders; reconnects for ever, with back-off.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20000;
// One failed try is a hiccup (a restart, a sleeping laptop); two are worth telling.
const TRIES_UNTIL_OFFLINE = 2;

export class PageSocket {
  // `message(object)`, `reachable(bool)`; `reachable(true)` again means: changes were missed.
  constructor({ message, reachable }) {
    this.handlers = { message, reachable };
    this.failures = 0;
    addEventListener("online", () => this.retry());
    addEventListener("offline", () => reachable(false));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retry();
    });
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/ws/page`);
    this.socket.onopen = () => {
      this.failures = 0;
      this.handlers.reachable(true);
    };
    this.socket.onmessage = ({ data }) => this.handlers.message(JSON.parse(data));
    this.socket.onclose = () => this.again();
  }

  again() {
    this.failures += 1;
    if (this.failures >= TRIES_UNTIL_OFFLINE) this.handlers.reachable(false);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    // Scattered, so that a restarted server is not met by every page at once.
    this.timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  retry() {
    if (this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    this.open();
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
