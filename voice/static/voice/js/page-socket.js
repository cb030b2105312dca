// Hears of changes to the person's list and of due reminders; reconnects for ever, with back-off.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20000;
// One failed try is a hiccup (a restart, a sleeping laptop); two are worth telling.
const TRIES_UNTIL_OFFLINE = 2;
// A socket that closes sooner was refused, not lost.
const SETTLED_MS = 3000;
const REFUSED = [4401, 4403];

export class PageSocket {
  // `message(object)`, `reachable(bool)`: `true` again means that changes were missed;
  // `refused()`: the person is signed out, and no further try is made.
  constructor({ message, reachable, refused }) {
    this.handlers = { message, reachable, refused };
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
      this.settling = setTimeout(() => (this.failures = 0), SETTLED_MS);
      this.handlers.reachable(true);
    };
    this.socket.onmessage = ({ data }) => this.handlers.message(JSON.parse(data));
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  closed(code) {
    clearTimeout(this.settling);
    if (REFUSED.includes(code)) {
      this.refused = true;
      this.handlers.refused();
      return;
    }
    this.failures += 1;
    if (this.failures >= TRIES_UNTIL_OFFLINE) this.handlers.reachable(false);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    // Scattered, so that a restarted server is not met by every page at once.
    this.timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  retry() {
    if (this.refused || this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    this.open();
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
