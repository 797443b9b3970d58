// What all components share: the store, the words, calls to the server, and what the server pushes.
import { reactive } from "vue";

export const store = reactive({
  words: {}, language: "zh", page: "", pages: [], me: {}, people: { items: [], groups: [] },
  line: null, mine: null, concern: null, list: "line", group: "", cursor: null, pane: "list",
  open: null, opening: null, messages: [], notes: [], head: null, summary: null, replies: [], typing: null, flash: null,
  board: null, dialog: null, toasts: [], now: Date.now(), behind: 0, connected: true, polishes: false,
});

/** Return the sentence `key` in the console's language, with `{name}` places filled. */
export function t(key, values = {}) {
  const sentence = store.words[key]?.[store.language] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** Return whether the catalogue has a sentence for `key`. */
export const has = (key) => key in store.words;

const CALL_SECONDS = 30;
const SILENT_SECONDS = 8;
const REPEATABLE = ["ready", "open", "messages", "send", "note", "read", "events", "search", "period"];
const waiting = new Map();
let send = () => {};
let up = false;
let number = 0;
let heard = 0;
let doubt = () => {};

/** The bridge says how calls reach the server. */
export function connect(emit) {
  send = emit;
}

/** The line is up or down. What could not go out goes now; what may have been lost with the line goes again. */
export function connected(now) {
  [up, store.connected] = [now, now];
  if (!up) return;
  for (const { message, sent } of waiting.values()) if (!sent || REPEATABLE.includes(message.name)) emit(message);
}

function emit(message) {
  const entry = waiting.get(message.number);
  const since = Date.now();
  entry.sent = true;
  send(message);
  clearTimeout(entry.doubting);
  entry.doubting = setTimeout(() => { if (up && heard < since) doubt(); }, SILENT_SECONDS * 1000);
}

/** Call `listener` when the server has said nothing at all for a while although it was asked something. */
export function onSilence(listener) {
  doubt = listener;
}

/** Ask the server; resolves with its data, rejects with an Error whose message people can read. */
export function call(name, args = {}) {
  number += 1;
  const mine = number;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(mine, { ok: false, error: { code: "no_answer", message: t("no_answer") } }), CALL_SECONDS * 1000);
    const message = { number: mine, name, args };
    waiting.set(mine, { resolve, reject, timer, message, sent: false });
    if (up) emit(message);
  });
}

/** The server's answer to a call. */
export function settle(which, result) {
  heard = Date.now();
  const entry = waiting.get(which);
  if (!entry) return;
  waiting.delete(which);
  clearTimeout(entry.timer);
  clearTimeout(entry.doubting);
  if (result.ok) entry.resolve(result.data);
  else entry.reject(Object.assign(new Error(result.error.message), { code: result.error.code, details: result.error.details }));
}

/** Ask the server and tell the person when it did not work; resolves with undefined then. */
export async function attempt(name, args = {}) {
  try {
    return (await call(name, args)) ?? true;
  } catch (error) {
    toast(error.message, "bad");
    return undefined;
  }
}

const TOAST_SECONDS = { good: 4, info: 6, bad: 9 };
let toastNumber = 0;

/** Show a short sentence at the edge of the page; `kind` is good, info or bad. */
export function toast(text, kind = "info") {
  toastNumber += 1;
  const entry = { id: toastNumber, text, kind };
  store.toasts.push(entry);
  setTimeout(() => dismiss(entry.id), TOAST_SECONDS[kind] * 1000);
}

/** Take a sentence away again. */
export function dismiss(id) {
  store.toasts = store.toasts.filter((entry) => entry.id !== id);
}

const listeners = {};

/** Call `listener` with every value the server pushes under `topic`, instead of only storing it. */
export function onPush(topic, listener) {
  listeners[topic] = listener;
}

/** Take what the server pushes. */
export function receive(topics) {
  heard = Date.now();
  for (const [topic, value] of Object.entries(topics)) {
    if (listeners[topic]) listeners[topic](value);
    else store[topic] = value;
  }
}

onPush("server_time", (time) => { store.behind = Date.parse(time) - Date.now(); });
onPush("login", (address) => { window.location.href = address; });

setInterval(() => { store.now = Date.now(); }, 1000);

/** Log out: the server forgets the login, this browser too, and every other tab of it goes back to the door. */
export async function leave() {
  const headers = { "X-Jieli-Console": store.me.id };
  const answer = await fetch("/desk/logout", { method: "POST", headers }).catch(() => null);
  if (!answer?.ok) {
    toast(t("no_answer"), "bad");
    return false;
  }
  window.location.href = "/desk/login";
  return true;
}

/** Switch the console's language, at once and for the next time. */
export function chooseLanguage(language) {
  store.language = language;
  document.cookie = `jieli_language=${language}; Path=/; Max-Age=31536000; SameSite=Lax`;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  attempt("language", { language });
}
