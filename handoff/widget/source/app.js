// The widget: joins frame, log, composer and strips to the line and the outbox.

const RENEW_PAUSE = 10000;
const BEGIN_AGAIN = 5000;

class App {
  constructor(desk, options) {
    this.options = options;
    this.context = {};
    this.store = new Store(desk);
    this.calls = new Calls(desk);
    this.desk = desk;
    this.state = { owner: "bot", queue: null, asking: false, agent: "", rates: true, line: "online", read: 0 };
    language = this.store.get("language") || options.language;
    this.line = new Line(desk, this.calls, {
      message: (message) => this.message(message),
      service: ({ agent, rating }) => this.show({ agent: agent || "", rates: rating }),
      owner: (owner) => this.owner(owner),
      queue: (queue) => this.show({ queue }),
      read: ({ agent }) => this.show({ read: agent || 0 }),
      typing: (typing) => typing.sender !== "customer" && this.log.showTyping(typing),
      state: (line) => this.show({ line }),
      up: () => this.up(),
      lost: (session) => this.lost(session),
    });
    this.makeView();
    this.outbox = new Outbox(this.store, this.line, this.calls, () => this.begin(), {
      changed: (item) => this.itemChanged(item),
      dropped: (item) => this.log.dropItem(item),
      refused: (problem) => this.refused(problem),
      lost: (session) => this.lost(session),
    });
    this.translate();
    for (const item of this.outbox.items) this.itemChanged(item);
    window.addEventListener("storage", ({ key }) => key === `${this.store.prefix}session` && this.otherTab());
    document.addEventListener("visibilitychange", () => this.read());
    this.resume();
  }

  makeView() {
    this.shell = new Shell(this.options, {
      opened: () => this.opened(),
      closed: () => this.countUnread(),
      language: () => this.switchLanguage(language === "zh" ? "en" : "zh"),
      sound: () => this.switchSound(),
      resized: () => this.log && this.log.settle(),
    });
    this.log = new Log({
      press: (button) => this.say({ kind: "payload", payload: button.payload, text: button.title }),
      again: (item) => this.outbox.again(item),
      remove: (item) => this.outbox.drop(item),
      ask: (text) => this.say({ kind: "text", text }),
      fresh: (seq) => this.fresh(seq),
    });
    this.composer = new Composer({
      text: (text) => this.say({ kind: "text", text }),
      file: (file) => this.say({ kind: "file", file, name: file.name, size: file.size }),
      typing: (on) => this.line.connected && this.line.socket.send("typing", { on }),
      draft: (text) => (this.store.draft = text),
      refused: (key, values) => this.strips.warn(say(key, values)),
    }, this.store.draft);
    this.strips = new Strips({
      person: () => this.askPerson(),
      giveUp: () => this.giveUp(),
      rate: (score, comment) => this.rate(score, comment),
      skip: () => this.store.set("rated", this.session.id),
    });
    const { top, connection, warning, rating } = this.strips;
    this.shell.panel.append(top, connection, this.log.frame, warning, rating, this.composer.box);
    this.composer.accept(this.shell.panel);
    this.shell.resting = { reading: this.log.box, writing: this.composer.field };
  }

  // Conversation ------------------------------------------------------------------------------------------------

  get session() {
    return this.store.get("session");
  }

  resume() {
    if (this.session) this.join(this.session);
    if (this.options.customerToken) this.identify(this.options.customerToken);
    if (this.outbox.items.some(({ state }) => state !== "failed")) this.outbox.flush();
  }

  join(session) {
    this.strips.rated = this.store.get("rated") === session.id;
    this.line.join(session);
  }

  // Returns the conversation, made now if there is none. Tabs take turns, so that two do not make two.
  begin() {
    if (this.session) return Promise.resolve(this.session);
    const make = () => this.session || this.create();
    const inTurn = () => (navigator.locks ? navigator.locks.request(`${this.store.prefix}begin`, make) : make());
    this.beginning = this.beginning || inTurn();
    return Promise.resolve(this.beginning).then((session) => {
      if (!this.line.session) this.join(session);
      return session;
    }).finally(() => (this.beginning = null));
  }

  async create() {
    const body = { context: { ...(await surroundings()), ...this.options.context, ...this.context } };
    const chosen = this.store.get("language");
    if (chosen) body.language = chosen;
    const token = await this.customerToken();
    let made;
    try {
      made = await this.calls.json("POST", "", null, token ? { ...body, customer_token: token } : body);
    } catch (problem) {
      if (!token || problem.status !== 401) throw problem;
      made = await this.calls.json("POST", "", null, body);
      this.identity = null;
      this.log.note("identity_failed");
    }
    const customer = this.identity && token ? subject(token) : null;
    const session = { id: made.id, token: made.token, language: chosen, customer };
    this.store.set("session", session);
    this.store.set("read", 0);
    this.owner(made.owner);
    return session;
  }

  async customerToken() {
    if (typeof this.identity !== "function") return this.identity;
    try {
      return await this.identity();
    } catch {
      return null;
    }
  }

  // The desk no longer takes this conversation's token. Says whether a new conversation may begin.
  lost(session) {
    const current = this.session;
    if (current && session && current.token !== session.token) return true;
    if (Date.now() - (this.renewedAt || 0) < RENEW_PAUSE) return false;
    this.renewedAt = Date.now();
    this.forget(false);
    this.log.note("renewed");
    if (this.shell.isOpen || this.outbox.items.length) this.outbox.flush();
    return true;
  }

  forget(everything) {
    this.line.leave();
    for (const key of ["session", "read", "rated"]) this.store.set(key, null);
    if (everything) this.outbox.clear();
    else this.outbox.renew();
    this.log.archive(everything);
    this.show({ owner: "bot", queue: null, asking: false, agent: "", read: 0 });
    this.countUnread();
  }

  // Another tab of the site has begun or left the conversation.
  otherTab() {
    const { session } = this;
    if ((session && session.id) === (this.line.session && this.line.session.id)) return;
    this.line.leave();
    this.log.archive(true);
    this.show({ owner: "bot", queue: null, asking: false, agent: "", read: 0 });
    if (session) this.join(session);
  }

  identify(identity) {
    const before = this.session;
    this.identity = identity;
    if (typeof identity === "function") return;
    const customer = identity ? subject(identity) : null;
    if (before && (before.customer || null) !== customer) {
      this.forget(true);
      this.log.note(customer ? "signed_in" : "signed_out");
    }
    if (identity && this.shell.isOpen) this.beginNow();
  }

  // Identified customers' conversations begin when the window opens: their tokens do not live long.
  beginNow() {
    this.begin().catch((problem) => {
      if (problem.passing) this.line.down();
      else if (problem.status !== 429) this.strips.warn(problem.message || say("refused"));
      if (problem.passing || problem.status === 429) setTimeout(() => this.beginNow(), BEGIN_AGAIN);
    });
  }

  // News ----------------------------------------------------------------------------------------------------------

  message(message) {
    const known = this.outbox.items.find((item) => item.client_id === message.client_id || item.seq === message.seq);
    if (known) this.outbox.drop(known);
    if (message.attachment) message.attachment.url = new URL(message.attachment.url, `${this.desk}/`).href;
    this.log.add(message);
    if (this.log.firstOpen < message.seq) this.checkButtons();
    const seen = this.read();
    if (!seen && message.sender !== "customer" && message.seq > (this.store.get("read") || 0)) this.announce();
  }

  announce() {
    this.countUnread();
    if (this.store.get("sound")) chime();
  }

  owner(owner) {
    if (owner === this.state.owner) return;
    if (this.state.owner === "closed") {
      this.store.set("rated", null);
      this.strips.rated = false;
    }
    this.log.showTyping({ on: false });
    this.show({ owner, asking: this.asked() });
    this.checkButtons();
  }

  // Buttons close when the conversation changes hands or goes on, or when another tab presses one.
  checkButtons() {
    clearTimeout(this.checking);
    this.checking = setTimeout(async () => {
      const first = this.line.session && this.log.firstOpen;
      if (!first) return;
      const messages = await this.line.again(first).catch(() => []);
      for (const { seq, buttons_open } of messages) this.log.setOpen(seq, buttons_open !== false);
    }, 300);
  }

  asked() {
    return this.outbox.items.some(({ kind }) => kind === "handoff");
  }

  async fresh(seq) {
    const [message] = await this.line.again(seq);
    message.attachment.url = new URL(message.attachment.url, `${this.desk}/`).href;
    return message;
  }

  up() {
    this.outbox.flush();
    this.tellLanguage();
  }

  itemChanged(item) {
    this.log.showItem(item);
    if (item.kind === "handoff") this.show({ asking: true });
  }

  refused(problem) {
    this.show({ asking: this.asked() });
    if (problem.code === "with_agent") return;
    this.strips.warn(problem.code === "stale_button" ? say("stale_button") : problem.message || say("refused"));
  }

  // What the person does --------------------------------------------------------------------------------------------

  // A draft is put where the person writes, never over words of their own.
  open(draft) {
    this.shell.open();
    if (draft && !this.composer.field.value) this.composer.write(String(draft));
  }

  opened() {
    this.log.bottom();
    this.composer.changed(true);
    this.shell.rest();
    this.read();
    if (this.identity && !this.session) this.beginNow();
  }

  read() {
    if (!this.shell.isOpen || document.hidden) return false;
    this.shell.count(0);
    if (this.line.seq > (this.store.get("read") || 0)) {
      this.store.set("read", this.line.seq);
      clearTimeout(this.reading);
      this.reading = setTimeout(() => this.tellRead(), 500);
    }
    return true;
  }

  // A courtesy to the agent: when it does not arrive, the next one will.
  tellRead() {
    const { session } = this;
    if (!session) return;
    this.calls.json("POST", `/${session.id}/read`, session.token, { seq: this.line.seq }).catch(() => null);
  }

  countUnread() {
    const read = this.store.get("read") || 0;
    this.shell.count(this.log.messages.filter(({ seq, sender }) => seq > read && sender !== "customer").length);
  }

  say(content) {
    this.strips.calm();
    this.outbox.add(content);
  }

  askPerson() {
    const { owner, asking } = this.state;
    if (asking || owner === "queue" || owner.startsWith("agent:")) return;
    this.say({ kind: "handoff" });
  }

  giveUp() {
    return this.act((id, token) => this.calls.json("DELETE", `/${id}/handoff`, token), [409]);
  }

  async rate(score, comment) {
    const body = comment ? { score, comment } : { score };
    const done = await this.act((id, token) => this.calls.json("POST", `/${id}/rating`, token, body), [409]);
    if (!done) return false;
    this.store.set("rated", this.session.id);
    this.log.note(done === 409 ? "rate_done" : "rate_thanks");
    return true;
  }

  // Does a call that cannot wait in the outbox. Returns true, an expected status, or false after saying why not.
  async act(call, expected) {
    const { session } = this;
    try {
      await call(session.id, session.token);
      this.line.sync();
      return true;
    } catch (problem) {
      this.line.sync();
      if (expected.includes(problem.status)) return problem.status;
      if (problem.gone && this.lost(session)) return false;
      this.strips.warn(problem.status === 0 ? say("no_link") : problem.message || say("refused"));
      return false;
    }
  }

  switchLanguage(chosen) {
    language = chosen;
    this.store.set("language", chosen);
    this.translate();
    this.tellLanguage();
  }

  // The desk hears of the switch now, or when the line is up again.
  async tellLanguage() {
    const { session } = this;
    const chosen = this.store.get("language");
    if (!session || !chosen || session.language === chosen) return;
    await this.calls.json("POST", `/${session.id}/language`, session.token, { language: chosen }).then(
      () => this.session && this.store.set("session", { ...this.session, language: chosen }),
      (problem) => problem.gone && this.lost(session),
    );
  }

  switchSound() {
    const on = !this.store.get("sound");
    this.store.set("sound", on);
    this.shell.translate(on);
    if (on) chime();
  }

  // View ------------------------------------------------------------------------------------------------------------

  translate() {
    this.shell.translate(Boolean(this.store.get("sound")));
    this.log.translate();
    this.composer.translate();
    this.strips.translate();
    this.show({});
  }

  speaker(owner, agent) {
    if (owner === "queue") return say("with_nobody");
    if (owner.startsWith("agent:")) return agent ? `${agent} · ${say("agent")}` : say("agent");
    return `${say("bot_name")} · ${say("bot")}`;
  }

  show(change) {
    Object.assign(this.state, change);
    this.strips.show(this.state);
    const { owner, agent, read } = this.state;
    const person = owner.startsWith("agent:");
    this.log.showRead(person ? read : 0);
    this.shell.keepFocus();
    this.shell.speaks(this.speaker(owner, agent), person);
  }
}

// The customer id in a signed token. Only the desk checks the signature; here it tells one customer from another.
function subject(token) {
  try {
    const bytes = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(decodeURIComponent(escape(bytes))).sub || null;
  } catch {
    return null;
  }
}
