// Drafts: what was typed survives a reload and a restart of the desk. One for each person and conversation.
import { store } from "jieli";

const KEPT_DAYS = 14;
const PREFIX = "jieli-draft:";
const key = (id) => `${PREFIX}${store.me.id}:${id}`;

/** Return the draft `{text, mode, client_id}` of a conversation. */
export function draftOf(id) {
  try {
    return JSON.parse(localStorage.getItem(key(id))) ?? {};
  } catch {
    return {};
  }
}

/** Keep a draft; an empty one is forgotten. */
export function keep(id, draft) {
  if (draft.text) localStorage.setItem(key(id), JSON.stringify({ ...draft, at: Date.now() }));
  else localStorage.removeItem(key(id));
}

/** Return whether a conversation has one. */
export const hasDraft = (id) => localStorage.getItem(key(id)) !== null;

/** Forget drafts that nobody came back to. */
export function sweep() {
  const limit = Date.now() - KEPT_DAYS * 86400000;
  for (const name of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
    try {
      if (JSON.parse(localStorage.getItem(name)).at < limit) localStorage.removeItem(name);
    } catch {
      localStorage.removeItem(name);
    }
  }
}

/** Return an id of our own for a message, so that sending again stores nothing twice. */
export function newClientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `desk-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
