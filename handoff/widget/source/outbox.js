// Messages on their way out, one after the other, each under a client id of its own: sending again never doubles.
// An item: {client_id, at, kind: "text"|"payload"|"file"|"handoff", text?, payload?, file?, name?, size?, state,
// problem?} with state "sending" | "waiting" (for the line) | "slow" (asked to slow down) | "failed" | "sent".

class Outbox {
  // events: changed(item), dropped(item), refused(problem, item), lost(session) -> whether a new conversation may begin
  constructor(store, line, calls, begin, events) {
    Object.assign(this, { store, line, calls, begin, events, items: [], last: 0, failures: 0 });
    for (const item of store.kept()) this.restore(item);
    // Whatever the clock says now.
    if (this.items.length) this.last = this.items[this.items.length - 1].at;
  }

  restore(item) {
    if (item.kind === "file") Object.assign(item, { state: "failed", problem: say("file_gone"), lost: true });
    else if (item.state !== "failed") item.state = "waiting";
    this.items.push(item);
  }

  add(content) {
    this.last = Math.max(Date.now(), this.last + 1);
    const item = { client_id: newId(), at: this.last, state: "sending", ...content };
    this.items.push(item);
    this.change(item, "sending");
    this.flush();
    return item;
  }

  change(item, state, extra = {}) {
    Object.assign(item, extra, { state });
    if (state !== "sent") this.store.keep(item);
    this.events.changed(item);
  }

  // The desk's own copy has arrived, or the person gave the message up.
  drop(item) {
    this.items = this.items.filter((other) => other !== item);
    this.store.drop(item);
    this.events.dropped(item);
  }

  find(clientId) {
    return this.items.find((item) => item.client_id === clientId);
  }

  again(item) {
    const { file, kind, text, payload, name, size } = item;
    this.drop(item);
    this.add({ file, kind, text, payload, name, size });
  }

  // A new conversation does not know the old one's buttons.
  renew() {
    for (const item of this.items.filter(({ kind, state }) => kind === "payload" || state === "sent")) this.drop(item);
  }

  clear() {
    for (const item of [...this.items]) this.drop(item);
  }

  async flush() {
    clearTimeout(this.timer);
    if (this.busy) return;
    this.busy = true;
    let item;
    do {
      item = this.items.find(({ state }) => state !== "failed" && state !== "sent");
    } while (item && (await this.deliver(item)));
    this.busy = false;
  }

  // Returns whether the next one may go.
  async deliver(item) {
    let session;
    try {
      session = await this.begin();
      const stored = await this.post(item, session);
      this.failures = 0;
      if (this.line.state !== "online") this.line.retry();
      this.stored(item, stored);
      return true;
    } catch (problem) {
      return this.failed(item, problem, session);
    }
  }

  stored(item, { seq }) {
    this.store.drop(item);
    if (item.kind === "handoff" || !this.items.includes(item)) {
      this.drop(item);
      this.line.sync();
      return;
    }
    this.change(item, "sent", { seq });
    if (this.line.seq >= seq) this.drop(item);
    else setTimeout(() => this.line.seq < seq && this.line.sync(), this.line.connected ? 1000 : 0);
  }

  async post(item, { id, token }) {
    if (item.kind === "file") {
      const tell = (progress) => this.change(item, "sending", { progress });
      return this.calls.upload(`/${id}/messages`, token, item, tell);
    }
    if (item.kind === "handoff") return this.calls.json("POST", `/${id}/handoff`, token);
    const body = { client_id: item.client_id };
    if (item.kind === "payload") body.payload = item.payload;
    else body.text = item.text;
    if (this.line.connected) {
      const { socket } = this.line;
      const answer = await socket.ask("send", body, ACK_PATIENCE).catch(() => null);
      if (answer && answer.seq) return answer;
      // It may look open for a long time yet.
      if (!answer) socket.close();
    }
    // No acknowledgement, or a refusal: the same message by REST is stored once and names the trouble exactly.
    return this.calls.json("POST", `/${id}/messages`, token, body);
  }

  failed(item, problem, session) {
    if (!this.items.includes(item)) return true;
    if (!(problem instanceof Problem)) throw problem;
    if (problem.gone && session && this.events.lost(session)) return true;
    if (problem.status === 429) this.change(item, "slow", { seconds: problem.retryAfter });
    else if (problem.passing) this.hold(session);
    else {
      this.refuse(item, problem);
      return true;
    }
    this.failures += 1;
    this.timer = setTimeout(() => this.flush(), item.state === "slow" ? item.seconds * 1000 : backoff(this.failures));
    return false;
  }

  hold(session) {
    if (!session) this.line.down();
    const underWay = this.items.filter(({ state }) => state === "sending" || state === "slow");
    for (const item of underWay) this.change(item, "waiting");
  }

  refuse(item, problem) {
    if (item.kind === "text" || item.kind === "file") {
      const known = problem.code === "client_id_reused" ? say("client_id_reused") : problem.message;
      this.change(item, "failed", { problem: known || say("refused") });
    } else {
      this.drop(item);
      this.line.sync();
      this.events.refused(problem, item);
    }
  }
}
