// What calls an agent who looks elsewhere: a sound, a desktop notification, and a number in the page's title.
import { watch } from "vue";
import { onPush, store, t, toast } from "jieli";
import { customerOf, gistOf, reasonOf } from "jieli/lists.js";
import { open } from "jieli/thread.js";

const SOUND = "/desk/static/new_handoff.wav";
const SOUND_KEY = "jieli-sound";
const NOTICE_KEY = "jieli-notices";
const sound = new Audio(SOUND);

/** Return the two switches as they stand. */
export const alerts = {
  sound: localStorage.getItem(SOUND_KEY) !== "off",
  notices: localStorage.getItem(NOTICE_KEY) === "on" && "Notification" in window && Notification.permission === "granted",
};

/** Switch the sound; it is played once, so that one knows it. */
export function switchSound(on) {
  localStorage.setItem(SOUND_KEY, on ? "on" : "off");
  if (on) play();
}

/** Switch desktop notifications, asking the browser when needed; resolves with whether they are on. */
export async function switchNotices(on) {
  let allowed = on && "Notification" in window;
  if (allowed && Notification.permission !== "granted") allowed = (await Notification.requestPermission()) === "granted";
  localStorage.setItem(NOTICE_KEY, allowed ? "on" : "off");
  if (on && !allowed) toast(t("notices_refused"), "bad");
  return allowed;
}

function play() {
  sound.currentTime = 0;
  sound.play().catch(() => {}); // before the first click on the page browsers stay silent
}

function announce(title, body, id) {
  if (localStorage.getItem(SOUND_KEY) !== "off") play();
  if (!document.hasFocus() && localStorage.getItem(NOTICE_KEY) === "on" && Notification.permission === "granted") {
    const notice = new Notification(title, { body, tag: id });
    notice.onclick = () => { window.focus(); notice.close(); open(id); };
  }
}

let knownLine = null;
onPush("line", (rows) => {
  const fresh = knownLine ? rows.filter((row) => row.state === "waiting" && !knownLine.has(row.id)) : [];
  knownLine = new Set(rows.map((row) => row.id));
  store.line = rows;
  if (fresh.length && store.me.status === "online") {
    announce(t("new_handoff", { customer: customerOf(fresh[0]), reason: reasonOf(fresh[0]) }), gistOf(fresh[0]), fresh[0].conversation_id);
  }
});

let knownMine = null;
onPush("mine", (rows) => {
  const given = knownMine ? rows.filter((row) => !knownMine.has(row.conversation_id) && row.conversation_id !== store.open) : [];
  knownMine = new Set(rows.map((row) => row.conversation_id));
  store.mine = rows;
  // One's own claim comes with its own words; what arrives otherwise was passed on or came back.
  setTimeout(() => {
    for (const row of given.filter((one) => one.conversation_id !== store.open && one.conversation_id !== store.opening)) {
      toast(t("given", { customer: customerOf(row) }), "info");
      announce(t("given", { customer: customerOf(row) }), row.text, row.conversation_id);
    }
  }, 1200);
});

watch(() => [store.line?.length, store.mine?.filter((row) => row.unread).length, store.language, store.page], () => {
  if (store.page !== "/desk") return;
  const waiting = store.line?.filter((row) => row.state === "waiting").length ?? 0;
  const unread = store.mine?.filter((row) => row.unread).length ?? 0;
  document.title = `${waiting + unread ? `(${waiting + unread}) ` : ""}${t("title", { page: t("page_desk") })}`;
});
