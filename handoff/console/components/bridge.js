// The one component that talks to the server: calls go up as events, news come down as method calls.
import { call, connect, receive, settle, store } from "jieli";

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
    this.watchConnection();
    if (store.me.id) call("ready").catch(() => {});
  },
  methods: {
    push(topics) {
      receive(topics);
    },
    answer(number, result) {
      settle(number, result);
    },
    watchConnection() {
      if (!window.socket) {
        setTimeout(this.watchConnection, 100);
        return;
      }
      window.socket.on("connect", () => { store.connected = true; });
      window.socket.on("disconnect", () => { store.connected = false; });
    },
  },
};
