// The line to the desk: keeps a conversation's messages complete and in order over Socket.IO, or long polling where
// WebSockets do not get through. Reconnects by itself.

const POLL_SECONDS = 25;
const ANSWER_SECONDS = 15;
const SOCKET_RETRY = 30000;
const GRACE = 1500;
const LONGEST_PAUSE = 8000;

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function backoff(failures) {
  return Math.min(LONGEST_PAUSE, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
}

class Line {
  // events: message(message), service({agent, rating}), owner(owner), queue(queue), read({agent}), typing(typing), up(),
  // state("online"|"connecting"|"offline"), lost(session) -> whether a new conversation may begin
  constructor(desk, calls, events) {
    Object.assign(this, { calls, events, session: null, seq: 0, failures: 0, socketFailures: 0, state: "online" });
    this.address = `${desk.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`;
    window.addEventListener("online", () => this.back());
    window.addEventListener("offline", () => this.hangUp());
    document.addEventListener("visibilitychange", () => document.hidden || this.retry());
  }

  get connected() {
    return Boolean(this.socket && this.socket.ready);
  }

  // Begins with a conversation's first message; a session is {id, token}.
  join(session) {
    this.leave();
    Object.assign(this, { session, seq: 0, failures: 0, socketFailures: 0 });
    this.connect();
  }

  leave() {
    this.session = null;
    this.stopPolling();
    clearTimeout(this.timer);
    if (this.socket) this.socket.close();
    this.show("online");
  }

  // The network is there again.
  back() {
    if (this.session) this.retry();
    else this.up();
  }

  retry() {
    if (!this.session || this.connected) return;
    this.failures = 0;
    clearTimeout(this.timer);
    this.connect();
  }

  hangUp() {
    if (this.socket) this.socket.close();
    this.show("offline");
  }

  connect() {
    if (!this.session || (this.socket && !this.socket.done)) return;
    if (navigator.onLine === false) {
      this.show("offline");
      return;
    }
    this.tried = Date.now();
    const { id, token } = this.session;
    const socket = new Socket(this.address, { conversation: id, token, after: this.seq }, {
      connected: () => this.opened(),
      refused: () => this.sync(),
      received: (event, data) => this.received(event, data),
      closed: () => socket === this.socket && this.closed(),
    });
    this.socket = socket;
  }

  opened() {
    Object.assign(this, { socketFailures: 0, hasOpened: true });
    this.stopPolling();
    this.up();
  }

  closed() {
    this.socket = null;
    if (!this.session) return;
    this.socketFailures += 1;
    if (navigator.onLine === false) {
      this.show("offline");
      return;
    }
    if (this.socketFailures > 1 || !this.hasOpened) this.poll();
    else this.down();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.socketFailures > 2 ? SOCKET_RETRY : backoff(this.failures));
  }

  up() {
    this.failures = 0;
    this.show("online");
    this.events.up();
  }

  down() {
    this.failures += 1;
    this.show(navigator.onLine === false ? "offline" : "connecting");
  }

  // A short break is nobody's business: it shows only when it lasts.
  show(state) {
    clearTimeout(this.showing);
    if (state === this.state) return;
    const tell = () => {
      this.state = state;
      this.events.state(state);
    };
    if (state === "connecting") this.showing = setTimeout(tell, GRACE);
    else tell();
  }

  stopPolling() {
    if (this.polling) this.polling.abort();
    this.polling = null;
  }

  async poll() {
    if (this.polling) return;
    const stop = (this.polling = new AbortController());
    let wait = 0;
    while (this.polling === stop) {
      try {
        await this.fetch(wait, stop.signal);
        if (this.polling !== stop) return;
        if (wait === 0) this.up();
        wait = POLL_SECONDS;
      } catch (problem) {
        if (this.polling !== stop || (problem.gone && this.events.lost(this.session))) return;
        this.down();
        wait = 0;
        await pause(problem.status === 429 ? problem.retryAfter * 1000 : backoff(this.failures));
      }
      if (Date.now() - this.tried > SOCKET_RETRY) this.connect();
    }
  }

  async fetch(wait, signal) {
    const { session } = this;
    const path = `/${session.id}/messages?after=${this.seq}&wait=${wait}`;
    const news = await this.calls.json("GET", path, session.token, undefined, signal, (wait + ANSWER_SECONDS) * 1000);
    if (session !== this.session) return 0;
    for (const message of news.messages) this.take(message);
    this.events.service(news.service);
    this.events.owner(news.owner);
    this.events.queue(news.queue);
    if (news.read) this.events.read(news.read);
    return news.messages.length;
  }

  // Fetches what is missing, and the state; one run at a time.
  async sync() {
    if (this.syncing || !this.session) return;
    this.syncing = true;
    const { session } = this;
    try {
      while ((await this.fetch(0)) > 0);
    } catch (problem) {
      const over = session !== this.session || (problem.gone && this.events.lost(session));
      if (!over) setTimeout(() => this.sync(), backoff(3));
    } finally {
      this.syncing = false;
    }
  }

  // Asks for messages from `seq` on as they are now: buttons close, signed addresses of attachments run out.
  async again(seq) {
    const { id, token } = this.session;
    return (await this.calls.json("GET", `/${id}/messages?after=${seq - 1}&wait=0`, token)).messages;
  }

  received(event, data) {
    if (event === "message") this.arrived(data);
    else if (event === "service") this.events.service(data);
    else if (event === "owner") this.events.owner(data.owner);
    else if (event === "queue") this.events.queue(data);
    else if (event === "typing") this.events.typing(data);
    else if (event === "read") this.events.read(data);
  }

  arrived(message) {
    if (message.seq > this.seq + 1) this.sync();
    else this.take(message);
  }

  take(message) {
    if (message.seq !== this.seq + 1) return;
    this.seq = message.seq;
    this.events.message(message);
  }
}
