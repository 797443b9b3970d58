// Questions in front of the page: transfer, ending, release, breaks, help, pictures; and the short sentences at its edge.
import { nextTick } from "vue";
import { attempt, dismiss, leave, store, t, toast } from "jieli";
import { groupTitle, groupTitles } from "jieli/format.js";
import { Icon } from "jieli/icons.js";
import { SHORTCUTS, listen } from "jieli/keys.js";
import { letGo, reopen } from "jieli/thread.js";

const OUTCOMES = ["solved", "unsolved", "no_reply", "spam"];
const BREAKS = ["meal", "rest", "training", "meeting"];
const PANES = { list: "list", talk: "chat", facts: "facts" };

export default {
  components: { Icon },
  data: () => ({ store, panes: PANES, outcomes: OUTCOMES, breaks: BREAKS, shortcuts: SHORTCUTS, target: "", note: "", outcome: "solved", reason: "rest", words: "", busy: false }),
  template: `
    <div class="edges">
      <nav class="pane-tabs" :aria-label="t('panes')" v-if="store.page === '/desk' || (store.page === '/supervisor' && store.open)">
        <button v-for="(icon, pane) in panes" :key="pane" type="button" :aria-current="store.pane === pane ? 'true' : null" :disabled="pane !== 'list' && !store.open" @click="store.pane = pane"><Icon :name="icon"/>{{ t('pane_' + pane) }}<span class="count hot" v-if="pane === 'list' && unread">{{ unread }}</span></button>
      </nav>
      <div class="toasts" role="status" aria-live="polite"><p v-for="entry in store.toasts" :key="entry.id" :class="entry.kind"><span>{{ entry.text }}</span><button type="button" @click="dismiss(entry.id)" :aria-label="t('close')"><Icon name="close"/></button></p></div>
      <dialog ref="dialog" :class="'about-' + store.dialog?.kind" @close="store.dialog = null" @click="outside" :aria-label="store.dialog ? title : null">
        <form method="dialog" v-if="store.dialog" @submit.prevent="confirm">
          <header><h2>{{ title }}</h2><button class="icon-button" type="button" @click="shut" :aria-label="t('close')"><Icon name="close"/></button></header>
          <template v-if="store.dialog.kind === 'transfer'">
            <fieldset><legend>{{ t('to_colleague') }}</legend><p class="soft" v-if="!colleagues.length">{{ t('nobody_on_duty') }}</p>
              <label class="choice" v-for="one in colleagues" :key="one.id"><input type="radio" name="target" :value="'agent:' + one.id" v-model="target"><span><b>{{ one.name }}</b><small>{{ t('role_' + one.role) }} · {{ groupTitles(one.groups) }}</small></span><span class="dot" :data-status="one.status">{{ t('presence_' + one.status) }}</span></label></fieldset>
            <fieldset v-if="groups.length"><legend>{{ t('to_group') }}</legend>
              <label class="choice" v-for="group in groups" :key="group.name"><input type="radio" name="target" :value="'group:' + group.name" v-model="target"><span><b>{{ group.title[store.language] }}</b><small>{{ t('on_duty', { count: onDuty(group.name) }) }}</small></span></label></fieldset>
            <label>{{ t('transfer_note') }}<textarea v-model="note" rows="3" maxlength="4000" :placeholder="t('transfer_note_hint')"></textarea></label>
          </template>
          <template v-else-if="store.dialog.kind === 'resolve'">
            <fieldset><legend>{{ t('outcome') }}</legend><label class="choice" v-for="one in outcomes" :key="one"><input type="radio" name="outcome" :value="one" v-model="outcome"><span><b>{{ t('outcome_' + one) }}</b><small>{{ t('outcome_hint_' + one) }}</small></span></label></fieldset>
            <label>{{ t('resolve_note') }}<textarea v-model="note" rows="5" maxlength="4000"></textarea></label>
          </template>
          <p v-else-if="store.dialog.kind === 'release'">{{ t('release_text') }}</p>
          <template v-else-if="store.dialog.kind === 'presence'">
            <p class="warning" v-if="held">{{ t('gives_back', { count: held }) }}</p>
            <fieldset v-if="store.dialog.status === 'break'"><legend>{{ t('break_reason') }}</legend>
              <label class="choice" v-for="one in breaks" :key="one"><input type="radio" name="reason" :value="one" v-model="reason"><span><b>{{ t('break_' + one) }}</b></span></label>
              <label class="choice"><input type="radio" name="reason" value="" v-model="reason"><span><input class="inline" v-model="words" maxlength="60" :placeholder="t('break_other')" :aria-label="t('break_other')" @focus="reason = ''"></span></label></fieldset>
          </template>
          <dl class="keys" v-else-if="store.dialog.kind === 'help'"><template v-for="[keys, word] in shortcuts" :key="word"><dt><kbd v-for="key in keys" :key="key">{{ key }}</kbd></dt><dd>{{ t(word) }}</dd></template>
            <dt><kbd>Enter</kbd></dt><dd>{{ t('key_send') }}</dd><dt><kbd>Shift</kbd><kbd>Enter</kbd></dt><dd>{{ t('key_newline') }}</dd></dl>
          <img v-else-if="store.dialog.kind === 'picture'" :src="store.dialog.src" :alt="store.dialog.name">
          <footer v-if="action"><button class="button" type="button" @click="shut">{{ t('cancel') }}</button><button class="button primary" :disabled="busy || !ready">{{ action }}</button></footer>
        </form>
      </dialog>
    </div>`,
  computed: {
    title() {
      const { kind, name, status } = store.dialog;
      if (kind === "picture") return name;
      if (kind === "presence") return t(status === "logout" ? "logout" : `presence_${status}`);
      return t(kind === "transfer" && !store.head?.may.say ? "reassign" : `title_${kind}`);
    },
    action() {
      const { kind, status } = store.dialog;
      if (["help", "picture"].includes(kind)) return null;
      if (kind === "presence") return t(status === "logout" ? "logout" : `go_${status}`);
      return t(kind === "transfer" && !store.head?.may.say ? "reassign" : kind);
    },
    ready() {
      if (store.dialog.kind === "transfer") return Boolean(this.target && this.note.trim());
      return store.dialog.kind !== "presence" || store.dialog.status !== "break" || Boolean(this.reason || this.words.trim());
    },
    held: () => store.mine?.length ?? 0,
    unread: () => store.mine?.filter((row) => row.unread).length ?? 0,
    colleagues() {
      const fits = (one) => one.status === "online" && one.role !== "designer" && `agent:${one.id}` !== store.head?.owner;
      return store.people.items.filter(fits);
    },
    groups() {
      return store.head?.owner.startsWith("agent:") ? store.people.groups : [];
    },
  },
  watch: {
    "store.dialog"(dialog) {
      if (!dialog) {
        if (this.$refs.dialog.open) this.$refs.dialog.close();
        return;
      }
      Object.assign(this, { target: "", note: "", outcome: "solved", reason: "rest", words: "", busy: false });
      if (dialog.kind === "resolve") this.proposeNote(store.open);
      nextTick(() => {
        if (!this.$refs.dialog.open) this.$refs.dialog.showModal();
        this.$refs.dialog.querySelector("input:checked, input, footer .primary")?.focus();
      });
    },
  },
  mounted() {
    if (store.page === "/desk") listen();
    reopen();
  },
  methods: {
    t, dismiss, groupTitle, groupTitles,
    shut() {
      this.$refs.dialog.close();
    },
    outside(event) {
      if (event.target === this.$refs.dialog) this.shut();
    },
    onDuty: (group) => store.people.items.filter((one) => one.status === "online" && one.groups.includes(group)).length,
    async proposeNote(id) {
      const closing = await attempt("closing", { id });
      if (closing && store.open === id && store.dialog?.kind === "resolve" && !this.note) this.note = closing.note;
    },
    async confirm() {
      const { kind, status } = store.dialog;
      this.busy = true;
      const worked = kind === "presence" ? await this.changePresence(status) : await this.act(kind);
      this.busy = false;
      if (worked) this.shut();
    },
    act(kind) {
      const id = store.open;
      if (kind === "release") return letGo("release", { id }, t("released"));
      if (kind === "resolve") return letGo("resolve", { id, outcome: this.outcome, note: this.note.trim() }, t("resolved"));
      const [sort, ...rest] = this.target.split(":");
      const name = rest.join(":");
      const to = sort === "agent" ? store.people.items.find((one) => one.id === name).name : groupTitle(name);
      return letGo("transfer", { id, [sort]: name, note: this.note.trim() }, t("transferred", { to }));
    },
    async changePresence(status) {
      if (status === "logout") return leave();
      const reason = status === "break" ? this.reason || this.words.trim() : null;
      const worked = await attempt("presence", { status, reason });
      if (worked) toast(t(`now_${status}`), "good");
      return worked;
    },
  },
};
