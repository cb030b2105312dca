// One call on the wire: ticket, socket, JSON messages and audio frames. Knows no page.

import { request } from "./api.js";
import { counters } from "./counters.js";
import { USUAL_RATE_HZ, rateOf } from "./rates.js";

// Older sound than this helps nobody.
const MOST_BUFFERED_SECONDS = 2;
const BYTES_PER_SAMPLE = 2;
const READY_SECONDS = 12;

export class CallSocket {
  // `ready()` comes first, then `message(object)` and `audio(ArrayBuffer)`; `closed(code, byeText)`
  // is called once.
  constructor({ ready, message, audio, closed }) {
    this.handlers = { ready, message, audio, closed };
    this.ready = false;
    this.rateHz = USUAL_RATE_HZ;
    this.bye = "";
    this.busy = false;
    this.finished = false;
  }

  // Opens the call; `closed` tells why when it cannot. Throws RequestError without a ticket.
  async open(microphone) {
    const { ticket } = await request("POST", "/call/ticket");
    if (this.finished) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = new URLSearchParams({ ticket });
    this.socket = new WebSocket(`${scheme}://${location.host}/ws/call?${query}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.start(microphone);
    this.socket.onmessage = ({ data }) => this.receive(data);
    this.socket.onclose = ({ code }) => this.finish(code);
    this.deadline = setTimeout(() => this.giveUp(), READY_SECONDS * 1000);
  }

  start(microphone) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.send({ type: "start", time_zone: zone, microphone });
  }

  receive(data) {
    if (typeof data !== "string") {
      this.handlers.audio(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "ready") {
      this.begin(message);
      return;
    }
    if (message.type === "bye") {
      this.bye = message.text ?? "";
      this.busy = message.reason === "busy";
    }
    this.handlers.message(message);
  }

  begin({ audio }) {
    this.rateHz = rateOf(audio);
    if (Number.isNaN(this.rateHz)) {
      // Of a server that is newer than this page.
      this.finish(4400);
      return;
    }
    this.ready = true;
    clearTimeout(this.deadline);
    this.handlers.ready();
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  sendAudio(frame) {
    if (!this.ready || this.socket.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > MOST_BUFFERED_SECONDS * BYTES_PER_SAMPLE * this.rateHz) {
      counters.framesDropped += 1;
      return;
    }
    this.socket.send(frame);
    counters.framesSent += 1;
  }

  hangUp() {
    this.send({ type: "stop" });
    this.finish(1000);
  }

  giveUp() {
    this.finish(this.ready ? 1000 : 4503);
  }

  finish(code) {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.deadline);
    const wasReady = this.ready;
    this.ready = false;
    if (this.socket) {
      this.socket.onclose = null;
      this.socket.onmessage = null;
      this.socket.close(1000);
    }
    this.handlers.closed(code, this.bye, wasReady);
  }
}
