// The person's todos and reminders as last told by the server, and every change to them.

import { RequestError, request } from "./api.js";

export class TodoStore {
  // `changed({lists, todos, reminders}, glow)`: draw, and let the rows in the Set `glow` glow.
  // `failed(sentence)`: nothing was changed, and why.
  constructor({ changed, failed }) {
    this.handlers = { changed, failed };
    this.glow = new Set();
    this.loading = null;
    this.stale = false;
    this.loaded = false;
  }

  // Asks the server again; requests made while one is under way become one more.
  async refresh(glow = []) {
    glow.forEach((id) => this.glow.add(id));
    if (this.loading) {
      this.stale = true;
      return this.loading;
    }
    this.loading = this.load();
    await this.loading;
    this.loading = null;
    if (!this.stale) return undefined;
    this.stale = false;
    return this.refresh();
  }

  async load() {
    const glow = this.glow;
    this.glow = new Set();
    try {
      const everything = await request("GET", "/todos/");
      this.loaded = true;
      this.handlers.changed(everything, glow);
    } catch (error) {
      if (!this.loaded) this.fail(error);
    }
  }

  fail(error) {
    if (!(error instanceof RequestError)) throw error;
    this.handlers.failed(error.message);
  }

  // Answers what the server answered, or null after telling why not.
  async change(method, path, body) {
    try {
      const answer = await request(method, path, body);
      await this.refresh(answer?.id ? [answer.id] : []);
      return answer ?? {};
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  add(text) {
    return this.change("POST", "/todos/", { text });
  }

  patch(id, fields) {
    return this.change("PATCH", `/todos/${id}/`, fields);
  }

  remove(id) {
    return this.change("DELETE", `/todos/${id}/`);
  }

  cancelReminder(id) {
    return this.change("DELETE", `/reminders/${id}/`);
  }

  undo(change) {
    return this.change("POST", `/changes/${change}/undo/`);
  }
}
