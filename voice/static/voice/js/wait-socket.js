// The line of those who wait for a call, on the wire: comes back by itself and keeps its place.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
// The server has said why, by the reason of `bye` and of the close.
const MEANT = [1000, 4401, 4403, 4503];

export class WaitSocket {
  // `line(place, of)`, `free(seconds)`, and once `over(reason, text)`.
  constructor({ line, free, over }) {
    this.handlers = { line, free, over };
    this.failures = 0;
    this.finished = false;
    this.bye = "";
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/ws/wait`);
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    this.socket.onclose = ({ code, reason }) => this.closed(code, reason);
  }

  receive(message) {
    this.failures = 0;
    if (message.type === "line") this.handlers.line(message.place, message.of);
    if (message.type === "free") this.handlers.free(message.seconds);
    if (message.type === "bye") this.bye = message.text ?? "";
  }

  closed(code, reason) {
    if (this.finished) return;
    if (MEANT.includes(code)) {
      this.finished = true;
      this.handlers.over(reason, this.bye);
      return;
    }
    this.failures += 1;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
    this.timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  // Gives the place up: the next one in line moves on at once.
  leave() {
    this.finished = true;
    clearTimeout(this.timer);
    this.socket.close(1000);
  }
}
