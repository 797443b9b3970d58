// The lists: the server tells what changed, here they are kept whole and in order.
import { markRaw, watch } from "vue";
import { onPush, receive, store, t } from "jieli";

const TAG = 4;
const kept = { line: new Map(), mine: new Map(), concern: new Map() };
const text = (one, other) => (one < other ? -1 : Number(one > other));
const ORDER = {
  line: (a, b) => text(a.order, b.order),
  // Who waits for an answer comes first, the longest waiting on top.
  mine: (a, b) => !a.waiting_since - !b.waiting_since || text(a.waiting_since ?? a.updated_at, b.waiting_since ?? b.updated_at),
  concern: (a, b) => b.concern - a.concern || text(a.updated_at, b.updated_at),
};

// A reload leaves people where they were.
const LIST_KEY = "jieli-list";
if (sessionStorage.getItem(LIST_KEY) in kept) store.list = sessionStorage.getItem(LIST_KEY);
watch(() => store.list, (list) => sessionStorage.setItem(LIST_KEY, list));

/** Return the rows of a list as they are shown: the line within the chosen group. */
export function rowsOf(list) {
  const rows = store[list] ?? [];
  return list === "line" && store.group ? rows.filter((row) => row.group === store.group) : rows;
}

/** Return why this person can take nobody from the line now, in words; nothing when they can. */
export function whyNoClaim() {
  if (store.me.status !== "online") return t("hint_offline");
  return store.mine && store.mine.length >= store.me.capacity ? t("hint_full", { capacity: store.me.capacity }) : "";
}

/** Return the customer's name; anonymous ones are told apart by a few letters. */
export function customerOf(row) {
  return row.name || t("visitor", { tag: row.conversation_id.replace(/[^A-Za-z0-9]/g, "").slice(-TAG).toUpperCase() });
}

/** Return why somebody waits, in words; nothing for rows of other lists. */
export const reasonOf = (row) => (row.reason ? t(`reason_${row.reason}`) : "");

/** Return the line that says what a waiting customer wants; elsewhere what was said last. */
export const gistOf = (row) => (row.summary ? row.summary[store.language] || row.summary.zh || "" : lastOf(row));

/** Return what was said last; of a message without words, its file. */
export function lastOf({ text, attachment }) {
  if (text || !attachment) return text ?? "";
  return t(attachment.type.startsWith("image/") ? "a_picture" : "a_file", { name: attachment.name });
}

function rank(rows) {
  const places = {};
  for (const row of rows) row.position = places[row.group] = (places[row.group] ?? 0) + 1;
}

onPush("lists", (news) => {
  for (const [name, { all, set, gone }] of Object.entries(news)) {
    if (all) kept[name].clear();
    for (const row of all ?? set) kept[name].set(row.conversation_id, markRaw(row));
    for (const id of gone ?? []) kept[name].delete(id);
    const rows = [...kept[name].values()].sort(ORDER[name]);
    if (name === "line") rank(rows);
    receive({ [name]: rows });
  }
});

onPush("persons", (persons) => {
  const byId = new Map(store.people.items.map((one) => [one.id, one]));
  for (const person of persons) byId.set(person.id, person);
  store.people.items = [...byId.values()].sort((a, b) => text(a.name, b.name));
});
