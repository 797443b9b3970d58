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
const rest = (text, sent) => (text.startsWith(sent) ? text.slice(sent.length).trimStart() : text);

export default {
  components: { Icon },
  data: () => ({ store, text: "", mode: "reply", chosen: 0, picking: false, busy: false, clientId: null, sent: "", more: false, files: [], upload: null, warned: false, dragging: false }),
  template: `
    <form class="composer" v-if="store.head && (canSay || canNote)" :class="[mode, { shown: store.pane === 'talk', dragging, slim: !canSay && !text }]" @submit.prevent="send"
      @dragover.prevent="dragging = takesFiles" @dragleave="dragging = false" @drop="drop">
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
      <textarea ref="box" v-model="text" rows="3" :placeholder="t(mode === 'note' ? 'write_note' : 'write_reply')" :aria-label="t(mode === 'note' ? 'write_note' : 'write_reply')"
        role="combobox" aria-autocomplete="list" :aria-expanded="picking ? 'true' : 'false'" aria-controls="canned" :aria-activedescendant="picking && offers.length ? 'canned-' + chosen : null"
        @input="typed" @keydown="pressed" @paste="pasted" @blur="picking = false"></textarea>
      <div class="tools">
        <label class="icon-button" v-if="takesFiles" :title="t('attach')"><input class="unseen" type="file" multiple accept="image/png,image/jpeg,image/gif,image/webp,application/pdf,.log,.txt" @change="picked" :aria-label="t('attach')"><Icon name="attach"/></label>
        <button class="icon-button" type="button" v-if="takesFiles" @mousedown.prevent @click="offer" :title="t('canned') + ' (/)'" :aria-label="t('canned')"><Icon name="canned"/></button>
        <span class="upload" v-if="upload" role="status">{{ t('uploading', { name: upload.name }) }}<progress :value="upload.done" max="1"></progress></span>
        <span class="soft" role="status" v-if="busy && !store.connected">{{ t('sends_later') }}</span>
        <span class="soft count" v-if="left < 400 && left >= 0">{{ left }}</span><span class="over" role="status" v-else-if="left < 0">{{ t('too_long', { count: -left, longest }) }}</span>
        <span class="spread"></span>
        <button class="button primary" :disabled="!text.trim() || busy || left < 0"><Icon :name="mode === 'note' ? 'note' : 'send'"/>{{ t(mode === 'note' ? 'save_note' : 'send') }}</button>
      </div>
    </form>`,
  computed: {
    longest: () => LONGEST,
    canSay: () => Boolean(store.head?.may.say),
    canNote: () => Boolean(store.head?.may.say || store.head?.may.manage || store.head?.may.claim || store.head?.may.take_over),
    takesFiles() {
      return this.canSay && this.mode === "reply";
    },
    // Characters as the desk counts them: an emoji is one.
    left() {
      return LONGEST - [...this.text.trim()].length;
    },
    offers() {
      const wanted = this.text.startsWith("/") ? this.text.slice(1).trim().toLowerCase() : "";
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
      Object.assign(this, { text: draft.text ?? "", mode: draft.mode ?? "reply", clientId: draft.client_id ?? null, sent: draft.sent ?? draft.text ?? "", more: false, picking: false, warned: false });
      this.seeWhetherStored(store.messages);
      this.settleMode();
      nextTick(this.grow);
    } },
    canSay: "settleMode",
    "store.messages": "seeWhetherStored",
  },
  mounted() {
    sweep();
    window.addEventListener("jieli:write", (event) => this.start(event.detail));
    window.addEventListener("jieli:draft", (event) => { if (this.canSay) this.insert({ text: event.detail }); });
  },
  methods: {
    t, jump,
    // What is written for colleagues must not turn into a reply under the writer's hands.
    settleMode() {
      if (store.head && !this.canSay && this.mode === "reply") this.mode = "note";
      else if (this.canSay && this.mode === "note" && !this.text && document.activeElement !== this.$refs.box) this.mode = "reply";
    },
    start(what) {
      if (!this.$refs.box) return;
      store.pane = "talk";
      if (what === "note") this.switchTo("note");
      else if (this.canSay && !(what === "settle" && this.text)) this.switchTo("reply");
      if (what === "canned") this.offer();
      this.$refs.box.focus();
    },
    switchTo(mode) {
      this.mode = mode;
      this.picking = false;
      this.save();
      nextTick(() => this.$refs.box?.focus());
    },
    save() {
      if (store.open) keep(store.open, { text: this.text, mode: this.mode, client_id: this.clientId, sent: this.sent });
    },
    grow() {
      const box = this.$refs.box;
      if (!box) return;
      box.style.height = "auto";
      box.style.height = `${Math.min(box.scrollHeight + 2, 220)}px`;
    },
    typed() {
      this.picking = this.mode === "reply" && this.text.startsWith("/") && !this.text.includes("\n");
      [this.chosen, this.more, this.warned] = [0, false, false];
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
      if (event.key === "Escape") this.stopPicking();
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
      this.$refs.box.focus();
      if (!this.text) this.text = "/";
      this.typed();
      this.picking = true;
    },
    stopPicking() {
      this.picking = false;
      if (this.text !== "/") return;
      this.text = "";
      this.typed();
    },
    // Below what is written already, and never over it.
    insert(reply) {
      const before = this.picking && this.text.startsWith("/") ? "" : this.text.trimEnd();
      this.text = before ? `${before}\n${reply.text}` : reply.text;
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
      const [id, text, mode] = [store.open, this.text, this.mode];
      this.more = this.busy && text !== this.sent;
      if (!text.trim() || this.busy || this.left < 0) return;
      if (mode === "reply" && BLANK.test(text) && !this.warned) {
        this.warned = true;
        toast(t("fill_blank", { blank: BLANK.exec(text)[0] }), "info");
        this.selectBlank();
        return;
      }
      this.busy = true;
      if (text !== this.sent || !this.clientId) [this.clientId, this.sent] = [newClientId(), text];
      this.save(); // with its id: what is sent again after a restart is stored once
      const args = { id, text: text.trim() };
      const done = mode === "note" ? await attempt("note", args) : await attempt("send", { ...args, client_id: this.clientId });
      this.busy = false;
      this.toldAt = 0;
      if (!done) return;
      if (store.open !== id) {
        const draft = draftOf(id);
        keep(id, { text: rest(draft.text ?? "", text), mode: draft.mode });
        return;
      }
      this.takeSent();
      nextTick(() => { this.$refs.box?.focus(); if (this.more) this.send(); });
    },
    // The answer to the sending may be lost, for example by a restart, and the message stored all the same.
    seeWhetherStored(messages) {
      if (this.clientId && !this.busy && messages.some((message) => message.client_id === this.clientId)) this.takeSent();
    },
    // Empties the box of what was sent; what was typed since stays.
    takeSent() {
      [this.text, this.clientId, this.sent] = [rest(this.text, this.sent), null, ""];
      this.save();
      nextTick(this.grow);
    },
    picked(event) {
      this.offerFiles([...event.target.files]);
      event.target.value = "";
    },
    drop(event) {
      this.dragging = false;
      const files = [...event.dataTransfer.files];
      if (!files.length) return;
      event.preventDefault();
      this.offerFiles(files);
    },
    // Office programs put a picture of the copied words beside them: then the words are meant.
    pasted(event) {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length || event.clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      this.offerFiles(files);
    },
    // Files go to the customer at once, so none is taken while one writes for colleagues.
    async offerFiles(files) {
      if (!this.takesFiles) {
        toast(t("no_files_in_notes"), "bad");
        return;
      }
      this.files.push(...files.map((file) => ({ id: store.open, file })));
      while (!this.upload && this.files.length) {
        const next = this.files.shift();
        await this.sendFile(next.id, next.file);
      }
    },
    async sendFile(id, file) {
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
      const ended = new Promise((resolve) => { request.onloadend = resolve; });
      request.open("POST", `/desk/files/${encodeURIComponent(id)}`);
      request.setRequestHeader("X-Jieli-Console", store.me.id);
      request.send(form);
      await ended;
      this.upload = null;
      if (request.status === 201) return;
      let problem = t("no_answer");
      try { problem = JSON.parse(request.responseText).error.message; } catch { /* no answer of ours: the general sentence */ }
      toast(t("not_uploaded", { name: file.name, problem }), "bad");
    },
  },
};
