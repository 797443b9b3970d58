// Keyboard shortcuts of the desk. None works while something is being typed or a dialog is open.
import { store } from "jieli";
import { rowsOf } from "jieli/lists.js";
import { claim, jump, open, takeOver } from "jieli/thread.js";

/** The shortcuts, for the help overlay: the keys, and the word that says what they do. */
export const SHORTCUTS = [
  [["1", "2", "3"], "key_lists"], [["J", "K"], "key_move"], [["Enter"], "key_open"], [["C"], "key_claim"], [["R"], "key_reply"],
  [["N"], "key_note"], [["/"], "key_canned"], [["T"], "key_transfer"], [["B"], "key_release"], [["E"], "key_resolve"],
  [["G"], "key_last"], [["?"], "key_help"], [["Esc"], "key_escape"],
];
const LISTS = ["line", "mine", "concern"];

function move(by) {
  const ids = rowsOf(store.list).map((row) => row.conversation_id);
  if (!ids.length) return;
  const at = ids.indexOf(store.cursor);
  store.cursor = ids[Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + by))];
  const row = document.getElementById(`row-${store.cursor}`);
  row?.scrollIntoView({ block: "nearest" });
  row?.querySelector(".row").focus({ preventScroll: true }); // Enter presses what has the focus
}

function take() {
  const chosen = rowsOf(store.list).find((row) => row.conversation_id === store.cursor);
  if (store.list === "concern" && chosen) return takeOver(chosen.conversation_id);
  if (store.head?.may.claim && store.list !== "line") return claim(store.head.handoff.id, store.open);
  const next = (store.list === "line" && chosen) || rowsOf("line").find((row) => row.state === "waiting");
  if (next) return claim(next.id, next.conversation_id);
  return undefined;
}

const write = (mode) => window.dispatchEvent(new CustomEvent("jieli:write", { detail: mode }));
const ask = (dialog, allowed) => { if (store.open && allowed) store.dialog = { kind: dialog }; };

const ACTIONS = {
  1: () => { store.list = LISTS[0]; }, 2: () => { store.list = LISTS[1]; }, 3: () => { store.list = LISTS[2]; },
  j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1),
  Enter: () => { if (store.cursor) open(store.cursor); },
  c: take, r: () => write("reply"), n: () => write("note"), "/": () => write("canned"),
  t: () => ask("transfer", store.head?.may.manage), b: () => ask("release", store.head?.may.release),
  e: () => ask("resolve", store.head?.may.manage),
  g: () => jump(store.messages.at(-1)?.seq), "?": () => { store.dialog = { kind: "help" }; },
};

/** Listen to the keyboard. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || store.dialog) return;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const pressable = event.target.closest?.("button, a, [role=option]");
    if (typing || (pressable && ["Enter", " "].includes(event.key))) return;
    const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
