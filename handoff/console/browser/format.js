// Times, sizes and names as people read them.
import { store, t } from "jieli";

const two = (number) => String(number).padStart(2, "0");

/** Return the present time as the server sees it, in milliseconds; ticks every second. */
export const serverNow = () => store.now + store.behind;

/** Return how long ago `since` (ISO) was, as m:ss or h:mm:ss. */
export function elapsed(since) {
  const seconds = Math.max(0, Math.floor((serverNow() - Date.parse(since)) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Return a duration in words that a screen reader can say. */
export function elapsedWords(since) {
  const minutes = Math.floor((serverNow() - Date.parse(since)) / 60000);
  return minutes < 1 ? t("under_a_minute") : t("minutes", { count: minutes });
}

/** Return the time of day. */
export function clock(time) {
  const moment = new Date(time);
  return `${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

/** Return day and time, the day only when it is not today. */
export function moment(time) {
  if (!time) return "";
  return day(time) === day(new Date(serverNow()).toISOString()) ? clock(time) : `${day(time)} ${clock(time)}`;
}

/** Return the day. */
export function day(time) {
  return new Date(time).toLocaleDateString(store.language === "zh" ? "zh-CN" : "en-GB", { month: "short", day: "numeric" });
}

/** Return a size in bytes as people read it. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** Return a skill group's title. */
export function groupTitle(name) {
  const group = store.people.groups.find((one) => one.name === name);
  return group ? group.title[store.language] : name ?? "";
}

/** Return the titles of several groups, joined as the language joins words. */
export const groupTitles = (names) => names.map(groupTitle).join(store.language === "zh" ? "、" : ", ");

/** Return who owns a conversation, in words. */
export function ownerTitle(owner, name = null) {
  if (!owner) return "—";
  if (!owner.startsWith("agent:")) return t(`owner_${owner}`);
  const id = owner.slice("agent:".length);
  return name ?? store.people.items.find((one) => one.id === id)?.name ?? t("owner_agent");
}
