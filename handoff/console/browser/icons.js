// Line icons on a 20 by 20 grid, and the faces of the moods. Always beside a word or with a label of their own.
import { h } from "vue";
import { t } from "jieli";

const PATHS = {
  send: "M3.5 10 16.5 3.5 13 16.5 9.5 11.2 3.5 10ZM9.5 11.2 16.5 3.5",
  attach: "M15.5 9.2 9.7 15a3.6 3.6 0 0 1-5.1-5.1L11 3.5a2.4 2.4 0 0 1 3.4 3.4L8.2 13a1.2 1.2 0 0 1-1.7-1.7l5.3-5.3",
  note: "M4 3.5h12v8.5L12 16.5H4ZM12 16.5V12h4M7 7h6M7 10h3",
  bell: "M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-2 5-2 6h13c0-1-2-2-2-6A4.5 4.5 0 0 0 10 3ZM8.3 16.2a1.8 1.8 0 0 0 3.4 0",
  help: "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM7.8 7.8A2.2 2.2 0 1 1 10 10.3v1.2M10 14.2v.1",
  user: "M10 10a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8ZM3.8 17c.6-3.4 3-5 6.2-5s5.6 1.6 6.2 5",
  down: "m5 8 5 5 5-5",
  back: "m12 5-5 5 5 5",
  close: "m5 5 10 10M15 5 5 15",
  transfer: "M3.5 7h12M12 3.5 15.5 7 12 10.5M16.5 13h-12M8 9.5 4.5 13 8 16.5",
  bot: "M4.5 7.5h11v8h-11ZM10 7.5V4M8 4h4M7.8 11v1M12.2 11v1M2.5 10.5v2.5M17.5 10.5v2.5",
  done: "m4 10.5 4 4 8-9",
  step: "M10 3.5v9M6 8.5l4 4 4-4M4 16.5h12",
  file: "M5 2.5h6l4 4v11H5ZM11 2.5v4h4",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4",
  people: "M7.5 9.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4ZM2.5 16c.400-3 2.3-4.3 5-4.3s4.6 1.3 5 4.3M13 4.3a2.6 2.6 0 0 1 0 5M14 11.8c2 .300 3.2 1.6 3.5 4.2",
  chat: "M3 4h14v9.5H9.5L6 16.5v-3H3Z",
  list: "M7 5h10M7 10h10M7 15h10M3.5 5h.1M3.5 10h.1M3.5 15h.1",
  facts: "M4.5 3h11v14h-11ZM7.5 7h5M7.5 10h5M7.5 13h3",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4.3l2.8 1.7",
  flag: "M5 17V3.5h9.5l-2 3.5 2 3.5H5",
  globe: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM3 10h14M10 3c2.5 2.2 2.5 11.8 0 14M10 3c-2.5 2.2-2.5 11.8 0 14",
  out: "M8 3.5H4v13h4M8.5 10H17M13.5 6.5 17 10l-3.5 3.5",
  canned: "M3 4h14v9.5H9.5L6 16.5v-3H3ZM11.5 6.5l-2.5 4.5",
};

const FACES = {
  calm: "M7 12.8h6",
  pleased: "M6.5 11.8c1.8 2.8 5.2 2.8 7 0",
  anxious: "M6.5 13.4c1-1.2 1.8-1.2 2.4 0s1.6 1.2 2.3 0 1.5-1.2 2.3 0M6 6.8l2-1M14 6.8l-2-1",
  disappointed: "M6.8 14c1.6-2.2 4.8-2.2 6.4 0",
  angry: "M6.8 14c1.6-2.2 4.8-2.2 6.4 0M5.6 6l2.8 1.4M14.4 6l-2.8 1.4",
  abusive: "M6.5 12.5h7v2h-7ZM5.4 5.8l3 1.8M14.6 5.8l-3 1.8",
  sarcastic: "M7 13.4c2 .600 4.5 0 6-2M11.8 6.2h2.8",
};

/** A line icon; hidden from screen readers, since a word or label stands beside it. */
export const Icon = {
  props: { name: String },
  render() {
    return h("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, h("path", { d: PATHS[this.name] }));
  },
};

/** A mood: face and word, never colour alone. */
export const Mood = {
  props: { label: String, quiet: Boolean },
  render() {
    const label = this.label in FACES ? this.label : "calm";
    const face = h("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, [
      h("circle", { cx: 10, cy: 10, r: 7.5 }), h("path", { d: `M7.4 8.6v.400M12.6 8.6v.400${FACES[label]}` }),
    ]);
    return h("span", { class: ["mood", `mood-${label}`] }, [face, this.quiet ? h("span", { class: "unseen" }, t(`mood_${label}`)) : t(`mood_${label}`)]);
  },
};
