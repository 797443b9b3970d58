// Words, times and sizes in the language that is switched on. TEXT is handoff/locales/widget.yml.

let language = "zh";

function say(key, values = {}) {
  return TEXT[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function format(date, options) {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", options).format(date);
}

function clock(date) {
  return format(date, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function dayName(date) {
  return format(date, { weekday: "short", month: "short", day: "numeric" });
}

// "today at 09:00", "tomorrow at 09:00", "on Mon 3 Nov at 09:00"
function moment(date) {
  const midnight = new Date(date).setHours(0, 0, 0, 0);
  const days = Math.round((midnight - new Date().setHours(0, 0, 0, 0)) / 86400000);
  const key = { 0: "today", 1: "tomorrow" }[days] || "on_day";
  return say(key, { time: clock(date), day: dayName(date) });
}

function fileSize(bytes) {
  return bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}
