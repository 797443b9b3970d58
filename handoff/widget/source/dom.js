// Building elements without innerHTML: strict content security policies and Trusted Types stay content.

const ICONS = {
  chat: "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Z M6 11.5q3-3 6 0t6 0",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 11.5L20.5 4 14 20.5l-3-6.5-7-2.5Z M11 14l4-4.5",
  clip: "M20 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.3 8.3a1.7 1.7 0 0 1-2.4-2.4l7.5-7.5",
  sound: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5Z M15.5 9a4.2 4.2 0 0 1 0 6 M18 6.5a8 8 0 0 1 0 11",
  mute: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5Z M16 9.5l5 5M21 9.5l-5 5",
  file: "M6 3h8l4 4v14H6Z M14 3v4h4",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M4.5 20.5a7.5 7.5 0 0 1 15 0",
  down: "M6 9l6 6 6-6",
};

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

// el("button", {class: "x", onclick: f, hidden: true}, "text", child): text becomes text nodes only.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// A button's icon with its name for tips and screen readers; called again when language or meaning change.
function name(button, label, picture) {
  button.setAttribute("aria-label", label);
  button.title = label;
  if (picture) button.replaceChildren(icon(picture));
}

// Text with its http(s) addresses as links. Chinese text needs no space after an address.
function linked(text) {
  const parts = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(/https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/gi)) {
    const address = match[0].replace(/[.,;:!?'")\]]+$/, "");
    if (!URL.canParse || URL.canParse(address)) {
      parts.append(text.slice(from, match.index));
      parts.append(el("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address));
      from = match.index + address.length;
    }
  }
  parts.append(text.slice(from));
  return parts;
}

// A short soft tone, made on the spot: no file to load.
function chime() {
  const Audio = window.AudioContext || window.webkitAudioContext;
  if (!Audio) return;
  const audio = new Audio();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.setValueAtTime(660, audio.currentTime);
  tone.frequency.setValueAtTime(880, audio.currentTime + 0.09);
  volume.gain.setValueAtTime(0.08, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.3);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.3);
  tone.onended = () => audio.close();
}

// The site's colour, darkened until white text on it (and it on white) reads at 4.5 to 1 or better.
function readable(colour) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = "#0b6570";
  probe.fillStyle = colour;
  const plain = /^#(..)(..)(..)$/.exec(probe.fillStyle);
  let channels = plain ? plain.slice(1).map((pair) => parseInt(pair, 16)) : [11, 101, 112];
  const light = (value) => (value <= 10 ? value / 3295 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
  while (1.05 / (luminance(channels) + 0.05) < 4.6) channels = channels.map((value) => Math.floor(value * 0.95));
  return `rgb(${channels.join(" ")})`;
}
