// Socket.IO (protocol 5) over Engine.IO (protocol 4) on the browser's own WebSocket, for the one name space /jieli.

const OPENING = 8000;

class Problem extends Error {
  // status 0: no answer at all (offline, desk down, time over)
  constructor(status, code, message, retryAfter) {
    super(message);
    Object.assign(this, { status, code, retryAfter });
  }
  get passing() {
    return this.status === 0 || this.status >= 500;
  }
  get gone() {
    return this.status === 401 || this.status === 404;
  }
}

class Socket {
  // handlers: connected(), refused(), received(event, data), closed()
  constructor(address, auth, handlers) {
    Object.assign(this, { auth, handlers, acks: new Map(), count: 0, ready: false, patience: OPENING });
    this.wire = new WebSocket(address);
    this.wire.onmessage = ({ data }) => this.packet(data);
    this.wire.onclose = () => this.close();
    this.watch();
  }

  // Silence for longer than the server's ping promises means a dead line, whatever the browser still believes.
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), this.patience);
  }

  packet(data) {
    if (this.done) return;
    this.watch();
    const rest = data.slice(1);
    if (data[0] === "0") this.opened(JSON.parse(rest));
    else if (data[0] === "2") this.wire.send(`3${rest}`);
    else if (data[0] === "4") this.message(rest);
    else if (data[0] === "1") this.close();
  }

  opened({ pingInterval, pingTimeout }) {
    this.patience = pingInterval + pingTimeout;
    this.wire.send(`40/jieli,${JSON.stringify(this.auth)}`);
  }

  message(packet) {
    const [, type, id, body] = /^(\d)\/jieli,?(\d*)([^]*)$/.exec(packet) || [];
    if (type === "0") {
      this.ready = true;
      this.handlers.connected();
    } else if (type === "2") {
      this.handlers.received(...JSON.parse(body));
    } else if (type === "3" && this.acks.has(id)) {
      this.acks.get(id)(JSON.parse(body)[0]);
    } else if (type === "4") {
      this.handlers.refused();
      this.close();
    } else if (type === "1") {
      this.close();
    }
  }

  send(event, data) {
    if (this.ready) this.wire.send(`42/jieli,${JSON.stringify([event, data])}`);
  }

  // Sends and waits for the server's acknowledgement; rejects when the line breaks or stays silent.
  ask(event, data, patience) {
    const id = String((this.count += 1));
    return new Promise((resolve, reject) => {
      const finish = (answer) => {
        clearTimeout(timer);
        this.acks.delete(id);
        if (answer) resolve(answer);
        else reject(new Problem(0, "no_answer"));
      };
      const timer = setTimeout(finish, patience);
      this.acks.set(id, finish);
      this.wire.send(`42/jieli,${id}${JSON.stringify([event, data])}`);
    });
  }

  close() {
    if (this.done) return;
    this.done = true;
    this.ready = false;
    clearTimeout(this.timer);
    this.wire.close();
    for (const finish of [...this.acks.values()]) finish();
    this.handlers.closed();
  }
}
