// Where replies and notes are written: drafts that survive, canned replies by "/", files, and what is known already.
import { nextTick } from "vue";
import { attempt, call, store, t, toast } from "jieli";
import { draftOf, keep, newClientId, sweep } from "jieli/drafts.js";
import { Icon } from "jieli/icons.js";
import { jump } from "jieli/thread.js";

const LONGEST = 4000;
const TYPING_EVERY = 2500;
const LARGEST_FILE = 10 * 1024 * 1024;
const BLANK = /【[^】]*】/;

export default {
  components: { Icon },
  data: () => ({ store, text: "", mode: "reply", chosen: 0, picking: false, busy: false, clientId: null, upload: null, warned: false, dragging: false }),
  template: `
    <form class="composer" v-if="store.head && (canSay || canNote)" :class="[mode, { shown: store.pane === 'talk', dragging, slim: !canSay && !text }]" @submit.prevent="send"
      @dragover.prevent="dragging = canSay" @dragleave="dragging = false" @drop.prevent="drop">
      <div class="known" v-if="known.length" role="status"><Icon name="facts"/><span>{{ t('already_known') }}</span>
        <component :is="fact.source.seq ? 'button' : 'span'" v-for="fact in known" :key="fact.name" class="known-fact" type="button" @click="jump(fact.source.seq)">{{ fact.label }} <b>{{ fact.text }}</b></component></div>
      <ul class="picker" id="canned" v-if="picking && offers.length" role="listbox" :aria-label="t('canned')">
        <li v-for="(reply, index) in offers" :key="reply.shortcut" :id="'canned-' + index" role="option" :aria-selected="index === chosen ? 'true' : 'false'" @mousedown.prevent="insert(reply)" @mousemove="chosen = index">
          <span class="picker-title"><code>/{{ reply.shortcut }}</code><b>{{ reply.title[store.language] }}</b></span><span class="picker-text">{{ reply.text }}</span></li>
      </ul>
      <p class="picker none" v-else-if="picking">{{ t('no_canned') }}</p>
      <div class="modes"><div role="tablist" class="mode-tabs">
          <button type="button" role="tab" v-if="canSay" :aria-selected="mode === 'reply' ? 'true' : 'false'" @click="switchTo('reply')">{{ t('reply') }}</button>
          <button type="button" role="tab" :aria-selected="mode === 'note' ? 'true' : 'false'" @click="switchTo('note')"><Icon name="note"/>{{ t('note') }}</button></div>
        <span class="soft hint" v-if="mode === 'note'">{{ t('note_hint') }}</span><span class="soft hint wide-only" v-else>{{ t('reply_hint') }}</span></div>
      <textarea ref="box" v-model="text" rows="3" :maxlength="longest" :placeholder="t(mode === 'note' ? 'write_note' : 'write_reply')" :aria-label="t(mode === 'note' ? 'write_note' : 'write_reply')"
        role="combobox" aria-autocomplete="list" :aria-expanded="picking ? 'true' : 'false'" aria-controls="canned" :aria-activedescendant="picking && offers.length ? 'canned-' + chosen : null"
        @input="typed" @keydown="pressed" @paste="pasted" @blur="picking = false"></textarea>
      <div class="tools">
        <label class="icon-button" v-if="canSay && mode === 'reply'" :title="t('attach')"><input class="unseen" type="file" accept="image/png,image/jpeg,image/gif,image/webp,application/pdf,.log,.txt" @change="picked" :aria-label="t('attach')"><Icon name="attach"/></label>
        <button class="icon-button" type="button" v-if="canSay && mode === 'reply'" @mousedown.prevent="offer" :title="t('canned') + ' (/)'" :aria-label="t('canned')"><Icon name="canned"/></button>
        <span class="upload" v-if="upload" role="status">{{ t('uploading', { name: upload.name }) }}<progress :value="upload.done" max="1"></progress></span>
        <span class="soft" role="status" v-if="busy && !store.connected">{{ t('sends_later') }}</span>
        <span class="soft count" v-if="text.length > longest - 400">{{ longest - text.length }}</span>
        <span class="spread"></span>
        <button class="button primary" :disabled="!text.trim() || busy"><Icon :name="mode === 'note' ? 'note' : 'send'"/>{{ t(mode === 'note' ? 'save_note' : 'send') }}</button>
      </div>
    </form>`,
  computed: {
    longest: () => LONGEST,
    canSay: () => Boolean(store.head?.may.say),
    canNote: () => Boolean(store.head?.may.say || store.head?.may.manage || store.head?.may.claim || store.head?.may.take_over),
    offers() {
      const wanted = this.text.slice(1).trim().toLowerCase();
      const rank = (reply) => {
        if (!wanted || reply.shortcut.startsWith(wanted)) return 0;
        if (Object.values(reply.title).some((title) => title.toLowerCase().includes(wanted))) return 1;
        return reply.shortcut.includes(wanted) || reply.text.toLowerCase().includes(wanted) ? 2 : 3;
      };
      return store.replies.map((reply, at) => [rank(reply), at, reply]).filter(([order]) => order < 3).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , reply]) => reply);
    },
    known() {
      const draft = this.text.toLowerCase();
      if (this.mode !== "reply" || this.picking || draft.length < 2) return [];
      return (store.summary?.facts ?? []).filter((fact) => {
        const names = Object.values(store.words[`ask_${fact.name}`] ?? {}).join("|").split("|").filter(Boolean);
        return !draft.includes(fact.value.toLowerCase()) && names.some((name) => draft.includes(name.toLowerCase()));
      });
    },
  },
  watch: {
    "store.open": { immediate: true, handler(id) {
      const draft = id ? draftOf(id) : {};
      Object.assign(this, { text: draft.text ?? "", mode: draft.mode ?? "reply", clientId: draft.client_id ?? null, picking: false, warned: false });
      this.settleMode();
      nextTick(this.grow);
    } },
    canSay: "settleMode",
    "store.messages"(messages) {
      // The answer to the sending was lost, for example by a restart, but the message was stored.
      if (!this.clientId || this.busy || !messages.some((message) => message.client_id === this.clientId)) return;
      [this.text, this.clientId] = ["", null];
      this.save();
      nextTick(this.grow);
    },
  },
  mounted() {
    sweep();
    window.addEventListener("jieli:write", (event) => this.start(event.detail));
    window.addEventListener("jieli:draft", (event) => { if (this.canSay) this.insert({ text: event.detail }); });
  },
  methods: {
    t, jump,
    settleMode() {
      if (store.head && !this.canSay && this.mode === "reply") this.mode = "note";
      else if (this.canSay && this.mode === "note" && !this.text) this.mode = "reply";
    },
    start(what) {
      if (!this.$refs.box) return;
      store.pane = "talk";
      if (what === "note") this.switchTo("note");
      else if (this.canSay) this.switchTo("reply");
      if (what === "canned" && !this.text) this.offer();
      this.$refs.box.focus();
    },
    switchTo(mode) {
      this.mode = mode;
      this.picking = false;
      this.save();
      nextTick(() => this.$refs.box?.focus());
    },
    save() {
      if (store.open) keep(store.open, { text: this.text, mode: this.mode, client_id: this.clientId });
    },
    grow() {
      const box = this.$refs.box;
      if (!box) return;
      box.style.height = "auto";
      box.style.height = `${Math.min(box.scrollHeight + 2, 220)}px`;
    },
    typed() {
      this.picking = this.mode === "reply" && this.text.startsWith("/") && !this.text.includes("\n");
      [this.chosen, this.clientId, this.warned] = [0, null, false];
      this.save();
      this.grow();
      if (this.mode === "reply" && this.canSay && !this.picking && this.text) this.tellTyping();
    },
    tellTyping() {
      if (this.toldAt && Date.now() - this.toldAt < TYPING_EVERY) return;
      this.toldAt = Date.now();
      call("typing", { id: store.open, on: true }).catch(() => {});
    },
    pressed(event) {
      if (event.isComposing || event.keyCode === 229) return; // the input method's own Enter
      if (this.picking && this.pickByKey(event)) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.send();
      } else if (event.key === "Escape") this.$refs.box.blur();
    },
    pickByKey(event) {
      const count = this.offers.length;
      if (event.key === "Escape") this.picking = false;
      else if (!count) return false;
      else if (event.key === "ArrowDown") this.chosen = (this.chosen + 1) % count;
      else if (event.key === "ArrowUp") this.chosen = (this.chosen + count - 1) % count;
      else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.insert(this.offers[this.chosen]);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      nextTick(() => document.getElementById(`canned-${this.chosen}`)?.scrollIntoView({ block: "nearest" }));
      return true;
    },
    offer() {
      this.text = "/";
      this.$refs.box.focus();
      this.typed();
    },
    insert(reply) {
      [this.text, this.picking] = [reply.text, false];
      this.typed();
      this.picking = false;
      nextTick(() => { this.grow(); this.selectBlank(); });
    },
    selectBlank() {
      const blank = BLANK.exec(this.text);
      this.$refs.box.focus();
      if (blank) this.$refs.box.setSelectionRange(blank.index, blank.index + blank[0].length);
      return Boolean(blank);
    },
    async send() {
      const [id, text, mode] = [store.open, this.text.trim(), this.mode];
      if (!text || this.busy) return;
      if (mode === "reply" && BLANK.test(text) && !this.warned) {
        this.warned = true;
        toast(t("fill_blank", { blank: BLANK.exec(text)[0] }), "info");
        this.selectBlank();
        return;
      }
      this.busy = true;
      this.clientId ??= newClientId();
      this.save(); // with its id: what is sent again after a restart is stored once
      const sent = mode === "note" ? await attempt("note", { id, text }) : await attempt("send", { id, text, client_id: this.clientId });
      this.busy = false;
      this.toldAt = 0;
      if (!sent) return;
      keep(id, { text: "" });
      if (store.open !== id) return;
      [this.text, this.clientId] = ["", null];
      if (mode === "note" && this.canSay) this.mode = "reply";
      nextTick(() => { this.grow(); this.$refs.box?.focus(); });
    },
    picked(event) {
      this.sendFile(event.target.files[0]);
      event.target.value = "";
    },
    drop(event) {
      this.dragging = false;
      if (this.canSay) this.sendFile(event.dataTransfer.files[0]);
    },
    pasted(event) {
      const file = event.clipboardData?.files[0];
      if (!file || !this.canSay || this.mode !== "reply") return;
      event.preventDefault();
      this.sendFile(file);
    },
    sendFile(file) {
      if (!file || this.upload) return;
      if (file.size > LARGEST_FILE) {
        toast(t("too_big", { name: file.name }), "bad");
        return;
      }
      const form = new FormData();
      form.append("client_id", newClientId());
      form.append("file", file);
      const request = new XMLHttpRequest();
      this.upload = { name: file.name, done: 0 };
      request.upload.onprogress = (event) => { this.upload.done = event.loaded / event.total; };
      request.onloadend = () => {
        this.upload = null;
        if (request.status === 201) return;
        let problem = t("no_answer");
        try { problem = JSON.parse(request.responseText).error.message; } catch { /* no answer of ours: the general sentence */ }
        toast(problem, "bad");
      };
      request.open("POST", `/desk/files/${encodeURIComponent(store.open)}`);
      request.setRequestHeader("X-Jieli-Console", store.me.id);
      request.send(form);
    },
  },
};
