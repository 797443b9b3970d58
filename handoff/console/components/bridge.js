// The one component that talks to the server: calls go up as events, news come down as messages of NiceGUI's socket.
import { call, connect, connected, onSilence, receive, settle, store } from "jieli";
import "jieli/lists.js";

const PATIENCE = 5000;
const RELOAD_ANSWER = "Implicit handshake failed"; // the desk has restarted and does not know this page any more

export default {
  props: { words: Object, state: Object },
  emits: ["call"],
  template: `<span hidden></span>`,
  created() {
    store.words = this.words;
    receive(this.state);
    document.documentElement.lang = store.language === "zh" ? "zh-CN" : "en";
    connect((message) => this.$emit("call", message));
  },
  mounted() {
    queueMicrotask(this.plugIn); // NiceGUI opens its socket when the whole page is mounted
    call("ready").catch(() => {});
  },
  methods: {
    plugIn() {
      const { socket } = window;
      socket.on("jieli", this.hear);
      socket.on("connect", () => connected(true));
      socket.on("disconnect", () => connected(false));
      // NiceGUI loads the page anew when it cannot connect; without a network that would leave people with nothing.
      socket.off("connect_error");
      socket.on("connect_error", this.refused);
      socket.io.reconnectionDelayMax(2000);
      socket.io.timeout(PATIENCE);
      setTimeout(() => { if (!socket.connected) this.poll(); }, PATIENCE);
      window.addEventListener("offline", () => this.doubt());
      window.addEventListener("online", () => socket.connected || socket.connect());
      onSilence(() => this.doubt());
    },
    // WebSockets may be blocked on the way, sometimes without a word.
    poll() {
      window.socket.io.opts.transports = ["polling", "websocket"];
      window.socket.disconnect().connect();
    },
    // The line may look open for a long time after the network is gone: open it anew.
    doubt() {
      connected(false);
      window.socket.io.engine?.close();
    },
    hear(message) {
      if (message._id < window.nextMessageId) return; // told again after a reconnect
      window.nextMessageId = message._id + 1;
      if (message.topics) receive(message.topics);
      else settle(message.number, message.result);
    },
    async refused(error) {
      connected(false);
      if (error.message === "timeout") this.poll();
      const door = await fetch("/desk/login", { redirect: "manual", cache: "no-store" }).catch(() => null);
      if (!door) return; // no network: the socket tries again
      if (door.ok) window.location.href = `/desk/login?next=${store.page}`;
      else if (error.message === RELOAD_ANSWER) window.location.reload();
    },
  },
};
