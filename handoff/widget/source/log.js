// The conversation's log: messages in the order of their seq, what is on its way out below them, and who is typing.

const GROUP_MINUTES = 5;
const TYPING_SHOWN = 10000;
const LINK_AGE = 240000;

class Log {
  // actions: press(button), again(item), remove(item), ask(text), fresh(seq) -> message
  constructor(actions) {
    this.actions = actions;
    this.messages = [];
    this.notes = [];
    // Whether the end is in sight; then it stays so, whatever grows or shrinks.
    this.near = true;
    this.items = new Map();
    this.welcome = el("div", { class: "welcome" });
    this.past = el("div", { class: "past" });
    this.list = el("div");
    this.out = el("div");
    this.typing = el("div", { class: "typing", hidden: true });
    this.box = el("div", { class: "log", role: "log", "aria-live": "polite", tabindex: "0" },
      this.welcome, this.past, this.list, this.out, this.typing);
    this.newest = el("button", { class: "newest", type: "button", hidden: true, onclick: () => this.bottom() });
    this.frame = el("div", { class: "frame" }, this.box, this.newest);
    this.box.addEventListener("scroll", () => this.atBottom() && (this.newest.hidden = true), { passive: true });
    // The strips around the log come and go: who was reading the end goes on reading the end.
    new ResizeObserver(() => this.settle()).observe(this.box);
  }

  translate() {
    this.box.setAttribute("aria-label", say("conversation"));
    this.newest.replaceChildren(say("newest"), icon("down"));
    this.welcome.replaceChildren(this.makeWelcome());
    this.quietly(() => {
      this.list.replaceChildren();
      const notes = (after) => this.notes.filter((note) => note.after === after).map((note) => this.noteRow(note));
      this.list.append(...notes(0));
      this.messages.forEach((message, index) => {
        this.list.append(this.row(message, this.messages[index - 1]), ...notes(index + 1));
      });
      for (const item of this.items.keys()) this.showItem(item);
    });
  }

  // Old messages drawn again are not news: a screen reader need not read them out.
  quietly(draw) {
    this.box.setAttribute("aria-live", "off");
    draw();
    setTimeout(() => this.box.setAttribute("aria-live", "polite"), 200);
  }

  makeWelcome() {
    const press = (key) => () => this.actions.ask(say(key));
    const ask = (key) => el("button", { class: "choice", type: "button", onclick: press(key) }, say(key));
    const asks = el("div", { class: "choices" }, ...["ask_order", "ask_firmware", "ask_return", "ask_device"].map(ask));
    asks.hidden = this.messages.length + this.items.size > 0;
    this.asks = asks;
    return el("div", {}, el("p", { class: "hello" }, say("welcome")), el("p", {}, say("welcome_more")), asks);
  }

  add(message) {
    const stay = this.near || message.sender === "customer";
    if (message.sender !== "customer") this.showTyping({ on: false });
    this.list.append(this.row(message, this.messages[this.messages.length - 1]));
    this.messages.push(message);
    this.asks.hidden = true;
    if (stay) this.bottom();
    else this.newest.hidden = this.atBottom();
  }

  row(message, previous) {
    const at = new Date(message.created_at);
    const day = at.toDateString();
    const row = el("div", { class: `row ${message.sender}`, "data-seq": message.seq });
    const newDay = !previous || new Date(previous.created_at).toDateString() !== day;
    if (newDay && day !== new Date().toDateString()) row.append(el("p", { class: "day" }, dayName(at)));
    const follows = !newDay && previous.sender === message.sender && previous.sender_name === message.sender_name &&
      at - new Date(previous.created_at) < GROUP_MINUTES * 60000;
    row.append(this.byline(message, at, follows));
    if (message.attachment) row.append(this.attachment(message));
    if (message.text) row.append(el("div", { class: "bubble" }, linked(message.text)));
    if (message.buttons && message.buttons.length) row.append(this.buttons(message));
    return row;
  }

  byline({ sender, sender_name: full }, at, follows) {
    const who = sender === "customer" ? say("you") : this.nameOf(sender, full);
    const line = el("p", { class: follows || sender === "system" ? "byline unseen" : "byline" });
    if (sender !== "system") {
      line.append(sender === "customer" ? el("span", { class: "unseen" }, who) : el("b", {}, who));
      if (sender === "bot") line.append(el("span", { class: "tag" }, say("bot")));
    }
    line.append(el("time", { datetime: at.toISOString() }, clock(at)));
    return line;
  }

  // The bot's name may come with "(bot)" behind it; here a tag says so, in the reader's language.
  nameOf(sender, full) {
    if (sender !== "bot") return full || say("agent");
    return (full || say("bot_name")).replace(/\s*[(（].*[)）]$/, "");
  }

  buttons(message) {
    const box = el("div", { class: "choices" });
    const onItsWay = ({ payload }) => [...this.items.keys()].some((item) => item.payload === payload);
    const closed = message.buttons_open === false || message.buttons.some(onItsWay);
    for (const button of message.buttons) {
      const press = (event) => {
        event.currentTarget.classList.add("pressed");
        this.setOpen(message.seq, false);
        this.actions.press(button);
      };
      box.append(el("button", { class: "choice", type: "button", disabled: closed, onclick: press }, button.title));
    }
    return box;
  }

  // The desk decides which buttons still lead somewhere.
  setOpen(seq, open) {
    const message = this.messages.find((other) => other.seq === seq);
    if (!message || !message.buttons) return;
    message.buttons_open = open;
    for (const button of this.list.querySelectorAll(`[data-seq="${seq}"] .choice`)) button.disabled = !open;
  }

  get firstOpen() {
    const first = this.messages.find(({ buttons, buttons_open: open }) => buttons && buttons.length && open !== false);
    return first && first.seq;
  }

  // "Read" stands under the customer's last message that the agent has seen.
  showRead(seq) {
    const last = [...this.messages].reverse().find((message) => message.sender === "customer");
    for (const mark of this.list.querySelectorAll(".read")) mark.remove();
    const row = last && last.seq <= seq && this.list.querySelector(`[data-seq="${last.seq}"]`);
    if (!row) return;
    row.append(el("p", { class: "state read" }, say("read")));
    this.settle();
  }

  attachment(message) {
    const { name: title, size, type, url } = message.attachment;
    const picture = /^image\//.test(type);
    const looks = picture ? "picture" : "file";
    const link = el("a", { class: looks, href: url, target: "_blank", rel: "noopener noreferrer" });
    if (picture) {
      const image = el("img", { src: url, alt: say("picture", { name: title }), loading: "lazy" });
      image.addEventListener("load", () => this.settle(), { once: true });
      image.addEventListener("error", () => this.refresh(message, link, image), { once: true });
      link.append(image);
    } else {
      link.setAttribute("aria-label", say("download", { name: title, size: fileSize(size) }));
      link.append(icon("file"), el("span", {}, el("b", {}, title), fileSize(size)));
    }
    message.fetched = message.fetched || Date.now();
    link.addEventListener("click", async (event) => {
      if (Date.now() - message.fetched < LINK_AGE) return;
      event.preventDefault();
      if (await this.refresh(message, link, link.querySelector("img"))) link.click();
    });
    return link;
  }

  // Addresses of attachments are short-lived: ask for a new one.
  async refresh(message, link, image) {
    const fresh = await this.actions.fresh(message.seq).catch(() => null);
    if (!fresh || !fresh.attachment) return false;
    Object.assign(message, { attachment: fresh.attachment, fetched: Date.now() });
    link.href = fresh.attachment.url;
    if (image) image.src = fresh.attachment.url;
    return true;
  }

  showItem(item) {
    if (item.kind === "handoff") return;
    const row = this.items.get(item) || el("div", { class: "row customer pending" });
    row.dataset.state = item.state;
    const bubble = row.querySelector(".bubble, .file, .picture") || this.itemBody(item);
    row.replaceChildren(bubble, this.itemState(item));
    if (!this.items.has(item)) {
      this.items.set(item, row);
      this.out.append(row);
      this.asks.hidden = true;
      this.bottom();
    }
  }

  itemBody(item) {
    if (item.kind !== "file") return el("div", { class: "bubble" }, linked(item.text || item.title));
    if (!item.file || !/^image\//.test(item.file.type)) {
      return el("div", { class: "file" }, icon("file"), el("span", {}, el("b", {}, item.name), fileSize(item.size)));
    }
    item.preview = URL.createObjectURL(item.file);
    return el("div", { class: "picture" }, el("img", { src: item.preview, alt: say("picture", { name: item.name }) }));
  }

  itemState(item) {
    const words = {
      sending: item.progress === undefined ? say("sending") : say("uploading", { percent: item.progress }),
      waiting: say("waiting"),
      slow: say("slow_down", { seconds: item.seconds }),
      failed: `${say("failed")}${language === "zh" ? ":" : ": "}${item.problem || say("refused")}`,
      sent: "",
    };
    const line = el("p", { class: "state" }, el("span", {}, words[item.state]));
    if (item.progress !== undefined && item.state === "sending") {
      line.append(el("progress", { max: 100, value: item.progress, "aria-label": say("sending") }));
    }
    if (item.state !== "failed") return line;
    const act = (key, action) => el("button", { class: "link", type: "button", onclick: () => action(item) }, say(key));
    if (!item.lost) line.append(act("try_again", this.actions.again));
    line.append(act("remove", this.actions.remove));
    return line;
  }

  dropItem(item) {
    const row = this.items.get(item);
    if (!row) return;
    row.remove();
    this.items.delete(item);
    if (item.preview) URL.revokeObjectURL(item.preview);
  }

  // A line by the widget itself, in the flow of the conversation; `key` names its words.
  note(key) {
    const note = { key, after: this.messages.length };
    this.notes.push(note);
    this.list.append(this.noteRow(note));
    this.bottom();
  }

  noteRow({ key }) {
    return el("p", { class: "note" }, say(key));
  }

  // What was said in a conversation that is over stays readable above the new one.
  archive(forget) {
    if (forget) this.past.replaceChildren();
    else this.past.append(...this.list.childNodes);
    for (const node of this.past.querySelectorAll("button")) node.disabled = true;
    this.list.replaceChildren();
    this.messages = [];
    this.notes = [];
    this.asks.hidden = !forget;
  }

  showTyping({ sender, on }) {
    clearTimeout(this.typingTimer);
    this.typing.hidden = !on;
    if (!on) return;
    const last = [...this.messages].reverse().find((message) => message.sender === sender);
    const who = this.nameOf(sender, last && last.sender_name);
    this.typing.replaceChildren(el("span", { class: "unseen" }, say("is_typing", { name: who })),
      el("i", { "aria-hidden": "true" }), el("i", { "aria-hidden": "true" }), el("i", { "aria-hidden": "true" }));
    this.typingTimer = setTimeout(() => this.showTyping({ on: false }), TYPING_SHOWN);
    this.settle();
  }

  atBottom() {
    this.near = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 80;
    return this.near;
  }

  settle() {
    if (this.near) this.bottom();
  }

  bottom() {
    this.box.scrollTop = this.box.scrollHeight;
    this.near = true;
    this.newest.hidden = true;
  }
}
