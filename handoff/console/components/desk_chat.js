// The middle pane: head and messages of the open conversation. What customers write is shown as text and never as markup.
import { nextTick } from "vue";
import { store, t } from "jieli";
import { clock, day, groupTitle, ownerTitle, size } from "jieli/format.js";
import { Icon, Mood } from "jieli/icons.js";
import { whyNoClaim } from "jieli/lists.js";
import { again, claim, close, earlier, jump, takeOver } from "jieli/thread.js";

const NEAR = 120;
const TYPING_SECONDS = 6;
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export default {
  components: { Icon, Mood },
  data: () => ({ store, below: false }),
  template: `
    <div class="chat" :class="{ shown: store.pane === 'talk' }">
      <div class="nothing" v-if="!store.head"><Icon name="chat"/><p>{{ store.opening ? t('loading') : t('nothing_open') }}</p><p class="soft" v-if="!store.opening && store.page === '/desk'">{{ t('nothing_open_hint') }}</p></div>
      <template v-else>
        <div class="head">
          <button class="icon-button narrow-only" type="button" @click="store.pane = 'list'" :aria-label="t('back')"><Icon name="back"/></button>
          <div class="head-who"><h2>{{ store.head.customer }}</h2>
            <p class="soft"><span class="owner" :data-owner="store.head.owner.split(':')[0]">{{ ownerTitle(store.head.owner, store.head.owner_name) }}</span>
              <span>{{ t('language_' + store.head.language) }}</span><span v-if="store.head.group">{{ groupTitle(store.head.group) }}</span><span v-if="store.head.known">{{ t('known_customer') }}</span></p></div>
          <div class="head-actions">
            <button class="button primary" type="button" v-if="store.head.may.claim" :disabled="Boolean(whyNoClaim())" :title="whyNoClaim()" @click="claim(store.head.handoff.id, store.open)">{{ t('claim') }}</button>
            <button class="button primary" type="button" v-if="store.head.may.take_over" @click="takeOver(store.open)">{{ t('take_over') }}</button>
            <template v-if="store.head.may.manage || store.head.may.release">
              <button class="button" type="button" v-if="store.head.may.manage" @click="ask('transfer')" :title="t('key_transfer') + ' (T)'"><Icon name="transfer"/><span>{{ t(store.head.may.say ? 'transfer' : 'reassign') }}</span></button>
              <button class="button" type="button" v-if="store.head.may.release" @click="ask('release')" :title="t('key_release') + ' (B)'"><Icon name="bot"/><span>{{ t('release') }}</span></button>
              <button class="button" type="button" v-if="store.head.may.manage" @click="ask('resolve')" :title="t('key_resolve') + ' (E)'"><Icon name="done"/><span>{{ t('resolve') }}</span></button>
            </template>
            <button class="icon-button" type="button" v-if="store.page !== '/desk'" @click="close" :aria-label="t('close')"><Icon name="close"/></button>
          </div>
        </div>
        <div class="log" ref="log" @scroll.passive="scrolled" role="log" :aria-label="t('messages')" tabindex="0">
          <button class="button small ghost earlier" type="button" v-if="store.messages.length && store.messages[0].seq > 1" @click="earlierKept">{{ t('earlier_messages') }}</button>
          <template v-for="entry in entries" :key="entry.key">
            <p class="day" v-if="entry.day"><span>{{ entry.day }}</span></p>
            <div class="internal" v-else-if="entry.note"><Icon name="note"/><div><p class="byline"><b>{{ entry.note.author_name }}</b> {{ t('note_by') }} <time>{{ clock(entry.note.created_at) }}</time></p><p class="words">{{ entry.note.text }}</p></div></div>
            <div v-else :id="'message-' + entry.message.seq" :data-seq="entry.message.seq" tabindex="-1" class="message" :class="[entry.message.sender, { follows: entry.follows, flash: store.flash === entry.message.seq }]" @animationend="store.flash = null">
              <p class="byline" v-if="!entry.follows && entry.message.sender !== 'system'"><b>{{ entry.message.sender === 'customer' ? store.head.customer : entry.message.sender_name }}</b><time>{{ clock(entry.message.created_at) }}</time></p>
              <div class="bubble" v-if="entry.message.text"><span class="words">{{ entry.message.text }}</span><span class="pressed" v-if="entry.message.payload">{{ t('pressed') }}</span></div>
              <button class="thumb" type="button" v-if="entry.message.attachment && isImage(entry.message)" @click="look(entry.message)" :aria-label="t('look_at', { name: entry.message.attachment.name })">
                <img :src="entry.message.attachment.url" :alt="entry.message.attachment.name" @load="loaded" @error="renew(entry.message)"></button>
              <button class="file" type="button" v-else-if="entry.message.attachment" @click="fetchFile(entry.message)"><Icon name="file"/><span><b>{{ entry.message.attachment.name }}</b><span class="soft">{{ size(entry.message.attachment.size) }}</span></span></button>
              <p class="choices" v-if="entry.message.buttons"><span v-for="button in entry.message.buttons" :key="button.payload">{{ button.title }}</span></p>
              <p class="under" v-if="mood(entry.message) || read === entry.message.seq"><Mood v-if="mood(entry.message)" :label="mood(entry.message)"/><span v-if="read === entry.message.seq">{{ t('read') }}</span></p>
            </div>
          </template>
          <p class="typing" v-if="someoneTypes" role="status"><i></i><i></i><i></i><span>{{ t('typing_' + store.typing.sender) }}</span></p>
        </div>
        <button class="newest" type="button" v-if="below" @click="toEnd"><Icon name="down"/>{{ t('newest') }}</button>
      </template>
    </div>`,
  computed: {
    entries() {
      const entries = [];
      let [lastDay, before] = ["", null];
      const notes = [...store.notes];
      const placeNotes = (seq) => {
        while (notes.length && notes[0].after_seq < seq) {
          const note = notes.shift();
          entries.push({ key: `n${note.id}`, note });
          before = null;
        }
      };
      for (const message of store.messages) {
        placeNotes(message.seq);
        const today = day(message.created_at);
        if (today !== lastDay) {
          entries.push({ key: `d${message.seq}`, day: today });
          [lastDay, before] = [today, null];
        }
        const follows = before?.sender === message.sender && before?.sender_name === message.sender_name && Date.parse(message.created_at) - Date.parse(before.created_at) < 180000;
        entries.push({ key: message.seq, message, follows });
        before = message;
      }
      placeNotes(Infinity);
      return entries;
    },
    read() {
      return store.messages.findLast((message) => message.sender === "agent" && message.seq <= store.head.customer_read_seq)?.seq;
    },
    someoneTypes() {
      return store.typing && store.now - store.typing.at < TYPING_SECONDS * 1000;
    },
  },
  watch: {
    "store.open"() {
      this.below = false;
      nextTick(() => this.toEnd());
    },
    entries(now, before) {
      const last = (list) => list.at(-1)?.key;
      if (last(now) === last(before)) return;
      if (this.near || store.messages.at(-1)?.sender === "agent") nextTick(() => this.toEnd());
      else this.below = true;
    },
    "store.pane"() {
      if (store.pane === "talk") nextTick(() => { if (!store.flash) this.toEnd(); });
    },
  },
  created() {
    this.near = true; // whether the newest message is in sight; then it stays so, whatever grows or shrinks
    this.sizes = new ResizeObserver(() => { if (this.near) this.toEnd(); });
  },
  updated() {
    const log = this.$refs.log;
    if (log && log !== this.observed) {
      this.sizes.disconnect();
      this.sizes.observe(log);
      this.observed = log;
    }
    if (this.near) this.toEnd();
  },
  beforeUnmount() {
    this.sizes.disconnect();
  },
  methods: {
    t, clock, size, groupTitle, ownerTitle, whyNoClaim, claim, takeOver, close, jump,
    ask(kind) {
      store.dialog = { kind };
    },
    isNearEnd() {
      const log = this.$refs.log;
      return !log || log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    },
    scrolled() {
      this.near = this.isNearEnd();
      if (this.near) this.below = false;
    },
    loaded() {
      if (this.near) this.toEnd();
    },
    toEnd() {
      const log = this.$refs.log;
      if (log) log.scrollTop = log.scrollHeight;
      [this.near, this.below] = [true, false];
    },
    async earlierKept() {
      const log = this.$refs.log;
      const fromEnd = log.scrollHeight - log.scrollTop;
      await earlier();
      await nextTick();
      log.scrollTop = log.scrollHeight - fromEnd;
    },
    isImage: (message) => IMAGES.includes(message.attachment.type),
    mood(message) {
      const label = message.nlu?.emotion?.label;
      return label && label !== "calm" ? label : null;
    },
    isStale: (url) => Number(new URL(url, location.href).searchParams.get("expires")) * 1000 < Date.now() + store.behind + 5000,
    async fresh(message) {
      const current = this.isStale(message.attachment.url) ? await again(message.seq) : message;
      return current?.attachment;
    },
    renew(message) {
      if (this.isStale(message.attachment.url)) again(message.seq);
    },
    async look(message) {
      const attachment = await this.fresh(message);
      if (attachment) store.dialog = { kind: "picture", src: attachment.url, name: attachment.name };
    },
    async fetchFile(message) {
      const attachment = await this.fresh(message);
      if (!attachment) return;
      const link = Object.assign(document.createElement("a"), { href: attachment.url, download: attachment.name });
      link.click();
    },
  },
};
