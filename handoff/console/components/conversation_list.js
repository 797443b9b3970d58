// The left pane: the line, one's own conversations, and those that need somebody. One component, whatever the number of rows.
import { store, t } from "jieli";
import { hasDraft } from "jieli/drafts.js";
import { elapsed, elapsedWords, groupTitle, moment } from "jieli/format.js";
import { Icon, Mood } from "jieli/icons.js";
import { customerOf, gistOf, lastOf, reasonOf, rowsOf, whyNoClaim } from "jieli/lists.js";
import { claim, open, takeOver } from "jieli/thread.js";

const LISTS = ["line", "mine", "concern"];
const LONG_WAIT = 120;

export default {
  components: { Icon, Mood },
  data: () => ({ store, lists: LISTS, busy: null }),
  template: `
    <section class="lists" :class="{ shown: store.pane === 'list' }" :aria-label="t('conversations')">
      <div class="tabs" role="tablist">
        <button v-for="list in lists" :key="list" type="button" role="tab" :id="'tab-' + list" :aria-selected="store.list === list ? 'true' : 'false'"
          aria-controls="rows" @click="store.list = list">{{ t('list_' + list) }}<span class="count" :class="{ hot: isHot(list) }" v-if="store[list]">{{ store[list].length }}</span></button>
      </div>
      <div class="filter" v-if="store.list === 'line' && groups.length > 1">
        <label class="unseen" for="group-filter">{{ t('group') }}</label>
        <select id="group-filter" v-model="store.group"><option value="">{{ t('all_groups') }}</option><option v-for="one in groups" :key="one.name" :value="one.name">{{ one.title[store.language] }}</option></select>
        <span class="soft" v-if="shown.length">{{ t('longest_wait', { time: elapsed(oldest) }) }}</span>
      </div>
      <div class="rows" id="rows" role="tabpanel" :aria-labelledby="'tab-' + store.list" aria-live="off">
        <p class="empty" v-if="rows === null">{{ t('loading') }}</p>
        <div class="empty" v-else-if="!shown.length"><Icon :name="store.list === 'mine' ? 'chat' : 'done'"/><p>{{ t('empty_' + store.list) }}</p><p class="soft">{{ hint }}</p></div>
        <ul v-else>
          <li v-for="row in shown" :key="row.conversation_id" v-memo="looks(row)" :id="'row-' + row.conversation_id" :data-conversation="row.conversation_id"
            :class="{ open: store.open === row.conversation_id, cursor: store.cursor === row.conversation_id, urgent: row.priority === 1 }">
            <button class="row" type="button" @click="pick(row)" :aria-current="store.open === row.conversation_id ? 'true' : null" :aria-label="label(row)">
              <span class="row-top"><b class="who">{{ customerOf(row) }}</b><span class="lang" v-if="row.language !== store.language">{{ t('language_' + row.language) }}</span>
                <span class="when" :class="{ late: isLate(row) }">{{ when(row) }}</span></span>
              <span class="row-marks" v-if="store.list !== 'mine'">
                <span class="rank" v-if="row.position" :title="t('rank')">#{{ row.position }}</span>
                <span class="priority" v-if="row.priority" :data-priority="row.priority">P{{ row.priority }} {{ t('priority_' + row.priority) }}</span>
                <Mood v-if="row.emotion" :label="row.emotion.label"/>
                <span class="reason" v-if="row.reason">{{ reasonOf(row) }}</span><span class="soft">{{ groupTitle(row.group) }}</span>
              </span>
              <span class="row-text" v-if="store.list === 'line'">{{ gistOf(row) }}</span>
              <span class="row-text" v-else><i v-if="hasDraft(row.conversation_id)" class="draft">{{ t('draft') }}</i><i v-if="row.sender && row.sender !== 'customer'">{{ t('sender_' + row.sender) }}: </i>{{ lastOf(row) }}</span>
            </button>
            <span class="unread" v-if="row.unread && store.list === 'mine'" :aria-label="t('unread', { count: row.unread })">{{ row.unread }}</span>
            <button class="button small primary take" type="button" v-if="store.list === 'line'" :disabled="busy === row.id || Boolean(whyNoClaim())" :title="whyNoClaim()" @click="take(row)" :aria-label="t('claim_whom', { customer: customerOf(row) })">{{ t('claim') }}</button>
            <button class="button small take" type="button" v-if="store.list === 'concern'" :disabled="busy === row.conversation_id" @click="stepIn(row)" :aria-label="t('take_over_whom', { customer: customerOf(row) })">{{ t('take_over') }}</button>
          </li>
        </ul>
      </div>
    </section>`,
  computed: {
    rows() {
      return store[store.list];
    },
    groups() {
      const own = store.me.role === "agent" ? store.me.groups : null;
      return store.people.groups.filter((group) => !own || own.includes(group.name));
    },
    shown() {
      return rowsOf(store.list);
    },
    oldest() {
      return this.shown.reduce((first, row) => (row.created_at < first ? row.created_at : first), this.shown[0].created_at);
    },
    hint() {
      if (store.list === "line" && store.me.status !== "online") return t("hint_offline");
      return t(`hint_${store.list}`);
    },
  },
  methods: {
    t, customerOf, elapsed, gistOf, groupTitle, hasDraft, lastOf, reasonOf, whyNoClaim,
    // All that a row shows: a row that looks as before is not drawn again, and the clock ticks every second.
    looks(row) {
      const { conversation_id: id, position, group } = row;
      const busy = this.busy === row.id || this.busy === id;
      return [row, position, this.when(row), this.isLate(row), store.open === id, store.cursor === id, store.language, store.list, busy, hasDraft(id), groupTitle(group), whyNoClaim()];
    },
    isHot(list) {
      return list === "mine" ? store.mine.some((row) => row.unread) : store[list].length > 0;
    },
    isLate(row) {
      const since = row.created_at ?? row.waiting_since;
      return Boolean(since) && store.now + store.behind - Date.parse(since) > LONG_WAIT * 1000;
    },
    when(row) {
      if (row.state === "ticket") return t("opens", { time: moment(row.opens_at) });
      if (row.created_at) return elapsed(row.created_at);
      return row.waiting_since ? elapsed(row.waiting_since) : moment(row.updated_at);
    },
    label(row) {
      const parts = [customerOf(row), reasonOf(row), row.emotion && t(`mood_${row.emotion.label}`), row.priority && `${t("priority")} ${row.priority}`];
      const since = row.created_at ?? row.waiting_since;
      if (since) parts.push(t("waiting", { time: elapsedWords(since) }));
      return [...parts, gistOf(row)].filter(Boolean).join(", ");
    },
    pick(row) {
      store.cursor = row.conversation_id;
      open(row.conversation_id);
    },
    async take(row) {
      this.busy = row.id;
      await claim(row.id, row.conversation_id);
      this.busy = null;
    },
    async stepIn(row) {
      this.busy = row.conversation_id;
      await takeOver(row.conversation_id);
      this.busy = null;
    },
  },
};
