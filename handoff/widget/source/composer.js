// Where the customer writes: text, files by button, paste and drop.

const LONGEST = 4000;
const LARGEST = 10 * 1024 * 1024;
const ACCEPTED = ["image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf", ".log", ".txt"];
const TYPING_EVERY = 2500;
const TYPING_ENDS = 4000;

class Composer {
  // actions: text(text), file(file), typing(on), draft(text), refused(key, values)
  constructor(actions, draft) {
    this.actions = actions;
    this.field = el("textarea", { rows: 1, id: "message", enterkeyhint: "send", autocomplete: "off" });
    this.counter = el("p", { class: "counter", "aria-live": "polite", hidden: true });
    this.picker = el("input", { type: "file", accept: ACCEPTED.join(","), multiple: true, hidden: true });
    this.attach = el("button", { class: "plain", type: "button", onclick: () => this.picker.click() });
    this.submit = el("button", { class: "submit", type: "submit" });
    this.box = el("form", { class: "composer", onsubmit: (event) => this.send(event) },
      this.counter, el("div", { class: "writing" }, this.attach, this.picker, this.field, this.submit));
    this.field.value = draft || "";
    this.field.addEventListener("input", () => this.changed());
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("paste", (event) => this.take(event, event.clipboardData));
    this.picker.addEventListener("change", () => {
      this.files(this.picker.files);
      this.picker.value = "";
    });
  }

  translate() {
    this.field.placeholder = say("write");
    this.field.setAttribute("aria-label", say("write_label"));
    name(this.attach, say("attach"), "clip");
    name(this.submit, say("send"), "send");
    this.changed(true);
  }

  // Enter that ends an input method's composition (keyCode 229 in Safari) belongs to the input method.
  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.send(event);
  }

  // Characters as the desk counts them: an emoji is one.
  get length() {
    return [...this.field.value.trim()].length;
  }

  changed(quiet) {
    const left = LONGEST - this.length;
    const parts = Math.ceil(this.length / LONGEST);
    this.submit.disabled = left < 0 || left === LONGEST;
    this.counter.hidden = left > 200;
    this.counter.textContent = left < 0 ? say("letters_over", { count: -left, parts }) : say("letters_left", { count: left });
    this.counter.classList.toggle("over", left < 0);
    this.field.style.setProperty("height", "auto");
    this.field.style.setProperty("height", `${this.field.scrollHeight}px`);
    this.actions.draft(this.field.value);
    if (!quiet) this.tell(this.length > 0);
  }

  send(event) {
    event.preventDefault();
    if (this.submit.disabled) return;
    const text = this.field.value.trim();
    this.field.value = "";
    this.changed(true);
    this.tell(false);
    this.field.focus();
    this.actions.text(text);
  }

  write(text) {
    this.field.value = text;
    this.changed(true);
    this.field.focus();
  }

  // "typing" goes out now and then while keys are pressed, and once when they stop.
  tell(on) {
    clearTimeout(this.pauseTimer);
    if (on) this.pauseTimer = setTimeout(() => this.tell(false), TYPING_ENDS);
    if (on && Date.now() - (this.told || 0) < TYPING_EVERY) return;
    if (!on && !this.told) return;
    this.told = on ? Date.now() : 0;
    this.actions.typing(on);
  }

  take(event, data) {
    if (!data || !data.files.length) return;
    event.preventDefault();
    this.files(data.files);
  }

  files(list) {
    for (const file of list) {
      const trouble = this.trouble(file);
      if (trouble) this.actions.refused(trouble, { name: file.name });
      else this.actions.file(file);
    }
  }

  trouble(file) {
    const fits = (kind) => (kind[0] === "." ? file.name.toLowerCase().endsWith(kind) : file.type === kind);
    if (!ACCEPTED.some(fits)) return "wrong_type";
    if (file.size > LARGEST) return "too_big";
    return file.size === 0 ? "empty_file" : null;
  }

  // Files may be dropped anywhere in the window.
  accept(panel) {
    const veil = el("div", { class: "veil", hidden: true });
    panel.append(veil);
    const hide = () => (veil.hidden = true);
    panel.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      veil.textContent = say("drop");
      veil.hidden = false;
    });
    veil.addEventListener("dragleave", hide);
    panel.addEventListener("drop", (event) => {
      hide();
      this.take(event, event.dataTransfer);
    });
  }
}
