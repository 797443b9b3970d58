// The open conversation: opening, what is new, and the jump from a line of the summary to its message.
import { nextTick } from "vue";
import { attempt, call, onPush, store, t, toast } from "jieli";

const OPEN_KEY = "jieli-open";
const READ_PAUSE = 400;
const EARLIER = 100;

/** Open a conversation; `pane` is what a phone shows then. */
export async function open(id, pane = "talk") {
  store.pane = pane;
  if (store.open === id) return;
  store.opening = id;
  try {
    const content = await call("open", { id });
    if (store.opening !== id) return;
    Object.assign(store, { open: id, opening: null, messages: [], notes: [], summary: null, typing: null, flash: null });
    store.replies = content.replies;
    take(content);
    remember(id);
  } catch (error) {
    if (store.opening === id) store.opening = null;
    remember(null);
    toast(error.message, "bad");
  }
}

/** Close the open conversation. */
export function close() {
  Object.assign(store, { open: null, head: null, messages: [], notes: [], summary: null, typing: null, pane: "list" });
  remember(null);
  call("close").catch(() => {});
}

/** Open again what was open before a reload. */
export function reopen() {
  const id = sessionStorage.getItem(OPEN_KEY + store.page);
  if (id) open(id, "list");
}

function remember(id) {
  if (id) sessionStorage.setItem(OPEN_KEY + store.page, id);
  else sessionStorage.removeItem(OPEN_KEY + store.page);
}

function take({ id, head, notes, messages, read }) {
  if (id !== store.open) return;
  if (head) Object.assign(store, { head, notes });
  if (read) Object.assign(store.head, read);
  if (messages) merge(messages);
  markRead();
}

function merge(messages) {
  if (!messages.length) return;
  const bySeq = new Map(store.messages.map((message) => [message.seq, message]));
  for (const message of messages) bySeq.set(message.seq, message);
  store.messages = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  if (store.typing && messages.some((message) => message.sender === store.typing.sender)) store.typing = null;
}

let reading = null;

/** Tell the customer that their messages were read, while the page is looked at. */
export function markRead() {
  if (reading || !store.head?.may.say || document.hidden) return;
  const last = store.messages.findLast((message) => message.sender === "customer")?.seq ?? 0;
  if (last <= store.head.agent_read_seq) return;
  const id = store.open;
  reading = setTimeout(() => {
    reading = null;
    if (store.open === id) call("read", { id, seq: last }).catch(() => {});
  }, READ_PAUSE);
}
document.addEventListener("visibilitychange", markRead);

onPush("news", take);
onPush("around", take);
onPush("summary", (summary) => { if (summary.id === store.open) store.summary = summary; });
onPush("typing", (typing) => {
  if (typing.id === store.open) store.typing = typing.on ? { sender: typing.sender, at: Date.now() } : null;
});
onPush("lost", (lost) => {
  if (lost.id !== store.open) return;
  if (store.expected !== lost.id) toast(lost.text, "info");
  close();
});

/** Load messages before the first one that is shown. */
export async function earlier(from = null) {
  const first = store.messages[0]?.seq ?? 1;
  if (first <= 1) return;
  const start = Math.max(1, Math.min(from ?? first, first - EARLIER));
  const messages = await attempt("messages", { id: store.open, first: start, last: first - 1 });
  if (messages) merge(messages);
}

/** Fetch one message again: the address of its file had run out. Returns the message. */
export async function again(seq) {
  const messages = await attempt("messages", { id: store.open, first: seq, last: seq });
  if (messages) merge(messages);
  return store.messages.find((message) => message.seq === seq);
}

/** Scroll to a message and let it flash. */
export async function jump(seq) {
  if (!seq) return;
  store.pane = "talk";
  if (store.messages.length && seq < store.messages[0].seq) await earlier(seq);
  await nextTick();
  const row = document.getElementById(`message-${seq}`);
  if (!row) return;
  row.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  store.flash = null;
  await nextTick();
  store.flash = seq;
  row.focus({ preventScroll: true });
}

/** Take a waiting conversation. */
export async function claim(handoff, id) {
  const taken = await attempt("claim", { handoff });
  if (!taken) return;
  store.list = "mine";
  toast(t("claimed"), "good");
  await settleOn(id);
}

/** Step into a conversation. */
export async function takeOver(id) {
  const person = store.open === id && store.head?.owner.startsWith("agent:");
  const taken = await attempt("take_over", { id });
  if (!taken) return;
  store.list = "mine";
  toast(t(person ? "taken_over_person" : "taken_over"), "good");
  await settleOn(id);
}

async function settleOn(id) {
  if (store.open === id) store.pane = "talk";
  else await open(id);
  await nextTick();
  setTimeout(() => window.dispatchEvent(new CustomEvent("jieli:write", { detail: "settle" })), 150);
}

/** Do something that takes the conversation out of this person's hands; resolves with whether it worked. */
export async function letGo(name, args, done) {
  const id = args.id;
  store.expected = id;
  const worked = await attempt(name, args);
  if (worked) {
    toast(done, "good");
    if (store.page === "/desk" && store.open === id) close();
  }
  setTimeout(() => { if (store.expected === id) store.expected = null; }, 3000);
  return Boolean(worked);
}
