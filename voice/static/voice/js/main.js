// Wires the page together; every decision is made in the modules it imports.

import { RequestError } from "./api.js";
import { Choices } from "./choices.js";
import { fetchClip } from "./clips.js";
import { Conversation } from "./conversation.js";
import { TalkControl } from "./control.js";
import { counters } from "./counters.js";
import { byId } from "./dom.js";
import { playEarcon } from "./earcons.js";
import { listenToKeys } from "./keys.js";
import { showLatency } from "./latency.js";
import { PageSocket } from "./page-socket.js";
import { Phone } from "./phone.js";
import { Playout } from "./playout.js";
import { remember, remembered } from "./prefs.js";
import { DueReminders } from "./reminders.js";
import { fetchSample } from "./samples.js";
import { SettingsSheet } from "./settings.js";
import { pressed, shown } from "./state.js";
import { Toast } from "./toast.js";
import { TodoList } from "./todo-list.js";
import { TodoStore } from "./todo-store.js";
import { Transcript } from "./transcript.js";
import { Waiting } from "./waiting.js";
import { NO_SAMPLE, OFFLINE, SIGNED_OUT } from "./words.js";

window.convonet = counters;

const toast = new Toast();
const store = new TodoStore({
  changed: (everything, glow) => list.show(everything, glow),
  failed: (sentence) => toast.show(sentence, { level: "error" }),
});
const list = new TodoList({
  patch: (todo, fields) => store.patch(todo.id, fields),
  remove: (todo) => removed(store.remove(todo.id), `Deleted “${todo.title}”`),
  cancelReminder: (reminder) =>
    removed(store.cancelReminder(reminder.id), `Cancelled “${reminder.text}”`),
});
const transcript = new Transcript({ undo: takeBack, announce });
const playout = new Playout({ heard: (position) => conversation.heard(position) });
const conversation = new Conversation(playout, {
  changed: callChanged,
  message: receive,
  heard: (turn, ms, bufferedMs) => transcript.heard(turn, ms, bufferedMs),
  level: (level) => control.setLevel(level),
  problem: callProblem,
  busy: callRefused,
  ended: callEnded,
});
const control = new TalkControl({
  press,
  mute: () => conversation.setMuted(!conversation.facts.muted),
  hangUp: () => conversation.hangUp(),
});
const due = new DueReminders({
  speak,
  inCall: () => conversation.facts.phase === "live",
  told: (id) => pageSocket.send({ type: "reminder_told", id }),
  again: (text) => say(`remind me in ten minutes to ${text}`),
  announce,
});
const pageSocket = new PageSocket({
  message: hearOfPage,
  reachable: reachableChanged,
  refused: () => reachableChanged(false, SIGNED_OUT),
});
const waiting = new Waiting({
  call: () => conversation.talk(),
  announce,
  chime: () => earcon("start"),
  mayListen,
});
const choices = new Choices({ hear: hearSample });
const phone = new Phone();
new SettingsSheet({ opened: () => Promise.all([choices.load(), phone.load()]) });
let phase = "idle";
let reachable = null;

function press() {
  const meaning = pressed(shown(conversation.facts));
  if (meaning === "talk") conversation.talk();
  if (meaning === "mute") conversation.setMuted(!conversation.facts.muted);
  if (meaning === "interrupt") conversation.interrupt();
}

function callChanged(facts) {
  const state = shown(facts);
  counters.state = state;
  control.show(state, facts);
  if (facts.phase === phase) return;
  if (facts.phase === "live") {
    waiting.end();
    transcript.newCall();
    earcon("start");
  }
  phase = facts.phase;
}

function callEnded(sentence) {
  earcon("end");
  transcript.forgetTyped();
  transcript.note(sentence || (transcript.empty ? "" : "The call has ended."));
}

function callRefused() {
  earcon("error");
  waiting.offer();
}

async function mayListen() {
  const permission = await navigator.permissions.query({ name: "microphone" });
  return permission.state === "granted";
}

function callProblem(sentence, { typing = false }) {
  earcon("error");
  transcript.note(sentence, "error");
  transcript.follow();
  if (typing) byId("say").focus();
}

// Messages that change the conversation; `clear` and `ready` are the conversation's own.
const DRAWN = {
  transcript: (message) => transcript.transcript(message),
  reply_delta: (message) => transcript.replyDelta(message),
  sentence: (message) => transcript.sentence(message),
  notice: ({ text, level }) => transcript.note(text, level),
  reminder: (message) => due.inCallDue(message),
  state: ({ state }) => state === "listening" && transcript.dropInterim(),
  tool(message) {
    transcript.tool(message);
    if (message.status === "done" && message.change) store.refresh(message.todos ?? []);
  },
  turn_done(message) {
    transcript.turnDone(message);
    showLatency(message);
    if (!playout.sound && message.reply) announce(message.reply);
  },
};

function receive(message) {
  DRAWN[message.type]?.(message);
}

function hearOfPage(message) {
  if (message.type === "todos_changed") store.refresh(message.todos ?? []);
  if (message.type === "reminder") {
    store.refresh();
    due.due(message);
  }
}

function reachableChanged(now, sentence = OFFLINE) {
  conversation.setReachable(now);
  byId("connection").textContent = now ? "" : sentence;
  // Changes made while the socket was away were told to nobody.
  if (now && reachable !== null) store.refresh();
  reachable = now;
}

async function removed(answer, sentence) {
  const { change } = (await answer) ?? {};
  if (change) toast.show(sentence, { action: { label: "Undo", run: () => takeBack(change) } });
}

async function takeBack(change) {
  const answer = await store.undo(change);
  if (answer?.summary) announce(answer.summary);
  return answer !== null;
}

async function speak(url) {
  const wav = playout.sound && (await fetchClip(url));
  return wav ? playout.playClip(wav) : false;
}

// Answers why the voice was not heard; empty when it was.
async function hearSample(voice) {
  // Browsers ask for the click, so sound is opened before the sample is there.
  playout.open().catch(() => {});
  try {
    const wav = await fetchSample(voice);
    return (await unheard(() => playout.playClip(wav, { always: true }))) ? "" : NO_SAMPLE;
  } catch (error) {
    return error instanceof RequestError ? error.message : NO_SAMPLE;
  }
}

// An open microphone shall not take what the page plays for the caller's words.
async function unheard(play) {
  const { microphone, muted } = conversation.facts;
  if (!microphone || muted) return play();
  conversation.setMuted(true);
  return play().finally(() => conversation.setMuted(false));
}

function announce(text) {
  byId("announcer").textContent = text;
}

function earcon(name) {
  if (remembered("earcons", true)) playEarcon(playout, name);
}

async function say(text) {
  transcript.typed(text);
  if (!(await conversation.say(text))) {
    transcript.forgetTyped();
    if (!byId("say").value) byId("say").value = text;
  }
}

function onSubmit(form, input, act) {
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId(input).value.trim();
    if (!text) return;
    byId(input).value = "";
    act(text);
  });
}

function onSwitch(name, act) {
  const button = byId(name);
  const show = (on) => {
    button.setAttribute("aria-pressed", String(on));
    act(on);
  };
  show(remembered(name, true));
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    remember(name, on);
    show(on);
  });
}

function onTick(name) {
  const box = byId(name);
  box.checked = remembered(name, true);
  box.addEventListener("change", () => remember(name, box.checked));
}

onSubmit("say-form", "say", say);
onSubmit("add-form", "add", async (text) => {
  if (!(await store.add(text)) && !byId("add").value) byId("add").value = text;
});
onSwitch("sound", (on) => playout.setSound(on));
onTick("earcons");
for (const example of document.querySelectorAll("[data-example]")) {
  example.addEventListener("click", () => say(example.dataset.example));
}
listenToKeys({
  talk: press,
  type: () => byId("say").focus(),
  interrupt: () => conversation.interrupt(),
});
callChanged(conversation.facts);
store.refresh().then(() => (document.body.dataset.ready = ""));
