// The floor: today's figures, people and their load, who waits, who needs help, and every conversation.
import { call, store, t, toast } from "jieli";
import { elapsed, groupTitle, groupTitles, moment, ownerTitle } from "jieli/format.js";
import { Icon, Mood } from "jieli/icons.js";
import { customerOf, gistOf, lastOf, reasonOf } from "jieli/lists.js";
import { open } from "jieli/thread.js";

const OWNERS = ["", "bot", "queue", "agent", "closed"];
const TYPING_PAUSE = 300;
const FRESH_SECONDS = 4;

export default {
  components: { Icon, Mood },
  data: () => ({ store, owners: OWNERS, q: "", owner: "", items: null, next: null, tab: "line" }),
  template: `
    <div class="board" v-if="!store.board"><p class="empty">{{ t('loading') }}</p></div>
    <div class="board" v-else>
      <h1 class="unseen">{{ t('page_supervisor') }}</h1>
      <ul class="tiles" :aria-label="t('figures')">
        <li :class="{ alarm: waiting.length }"><span>{{ t('tile_waiting') }}</span><b>{{ waiting.length }}</b><small>{{ waiting.length ? t('longest_wait', { time: elapsed(oldest) }) : t('tile_nobody') }}</small></li>
        <li :class="{ alarm: store.concern.length }"><span>{{ t('list_concern') }}</span><b>{{ store.concern.length }}</b><small>{{ t('tile_of_bot', { count: store.board.now.with_bot }) }}</small></li>
        <li><span>{{ t('tile_people') }}</span><b>{{ store.board.now.with_people }}</b><small>{{ t('tile_room', { free }) }}</small></li>
        <li><span>{{ t('tile_answered') }}</span><b>{{ percent(today.taken, today.taken + today.abandoned) }}</b><small>{{ t('tile_handoffs', { taken: today.taken, abandoned: today.abandoned }) }}</small></li>
        <li><span>{{ t('tile_wait') }}</span><b>{{ today.median_wait === null ? '—' : seconds(today.median_wait) }}</b><small>{{ t('tile_today') }}</small></li>
        <li><span>{{ t('tile_rating') }}</span><b>{{ today.rating ?? '—' }}</b><small>{{ t('tile_rated', { count: today.rated, closed: today.closed }) }}</small></li>
      </ul>
      <div class="board-pair">
        <section class="card" aria-labelledby="people-title"><h2 id="people-title">{{ t('people') }}</h2>
          <ul class="people"><li v-for="person in store.board.people" :key="person.id" :class="{ away: person.status === 'offline' }">
            <span class="dot" :data-status="person.status">{{ t('presence_' + person.status) }}</span>
            <span class="person"><b>{{ person.name }}</b><small>{{ t('role_' + person.role) }}<template v-if="person.groups.length"> · {{ groupTitles(person.groups) }}</template></small></span>
            <span class="since"><template v-if="person.status !== 'offline' && person.status_since">{{ elapsed(person.status_since) }}</template><small v-if="person.status_reason">{{ breakWord(person.status_reason) }}</small></span>
            <span class="meter"><meter :value="person.held" min="0" :max="person.capacity" :high="person.capacity - 1" :optimum="0" :aria-label="t('load')"></meter>{{ person.held }}/{{ person.capacity }}</span></li></ul>
          <ul class="groups"><li v-for="group in store.board.groups" :key="group.name"><b>{{ groupTitle(group.name) }}</b><span>{{ t('on_duty', { count: group.online }) }}</span><span :class="{ late: group.waiting && !group.online }">{{ t('group_waiting', { count: group.waiting }) }}<template v-if="group.oldest"> · {{ elapsed(group.oldest) }}</template></span></li></ul>
        </section>
        <section class="card" :aria-label="t('list_' + tab)">
          <div class="tabs" role="tablist"><button v-for="one in ['line', 'concern']" :key="one" type="button" role="tab" :aria-selected="tab === one ? 'true' : 'false'" @click="tab = one">{{ t('list_' + one) }}<span class="count" :class="{ hot: store[one].length }">{{ store[one].length }}</span></button></div>
          <p class="empty" v-if="!store[tab].length">{{ t('empty_' + tab) }}</p>
          <ul class="rows short" v-else><li v-for="row in store[tab]" :key="row.conversation_id" :class="{ open: store.open === row.conversation_id, urgent: row.priority === 1 }"><button class="row" type="button" @click="open(row.conversation_id)">
            <span class="row-top"><b class="who">{{ customerOf(row) }}</b><span class="when">{{ row.state === 'ticket' ? t('opens', { time: moment(row.opens_at) }) : elapsed(row.created_at ?? row.updated_at) }}</span></span>
            <span class="row-marks"><span class="rank" v-if="row.position">#{{ row.position }}</span><span class="priority" v-if="row.priority" :data-priority="row.priority">P{{ row.priority }} {{ t('priority_' + row.priority) }}</span><Mood v-if="row.emotion" :label="row.emotion.label"/><span class="reason" v-if="row.reason">{{ reasonOf(row) }}</span><span class="soft">{{ groupTitle(row.group) }}</span></span>
            <span class="row-text">{{ gistOf(row) }}</span></button></li></ul>
        </section>
      </div>
      <section class="card" aria-labelledby="all-title"><div class="card-head"><h2 id="all-title">{{ t('all_conversations') }}</h2>
          <label class="search"><Icon name="search"/><input type="search" v-model="q" @input="later" :placeholder="t('search')" :aria-label="t('search')"></label>
          <select v-model="owner" @change="search" :aria-label="t('owner')"><option v-for="one in owners" :key="one" :value="one">{{ one ? t('filter_' + one) : t('filter_all') }}</option></select></div>
        <p class="empty" v-if="items && !items.length">{{ t('nothing_found') }}</p>
        <table v-else-if="items"><thead><tr><th>{{ t('sender_customer') }}</th><th>{{ t('owner') }}</th><th class="wide-cell">{{ t('group') }}</th><th>{{ t('last_message') }}</th><th class="number">{{ t('time') }}</th></tr></thead>
          <tbody><tr v-for="item in items" :key="item.id" :class="{ open: store.open === item.id }"><td><button type="button" @click="open(item.id)">{{ item.display }}</button></td>
            <td><span class="owner" :data-owner="item.owner.split(':')[0]">{{ ownerTitle(item.owner) }}</span><small v-if="item.outcome && item.owner === 'closed'">{{ t('outcome_' + item.outcome) }}</small></td><td class="wide-cell soft">{{ groupTitle(item.group) }}</td>
            <td class="last">{{ lastOf(item.last_message ?? {}) }}</td><td class="number soft">{{ moment(item.updated_at) }}</td></tr></tbody></table>
        <button class="button small more" type="button" v-if="next" @click="more">{{ t('more') }}</button>
      </section>
    </div>`,
  computed: {
    waiting: () => (store.line ?? []).filter((row) => row.state === "waiting"),
    oldest() {
      return this.waiting.map((row) => row.created_at).sort()[0];
    },
    today: () => store.board.today,
    free: () => store.board.people.filter((one) => one.status === "online").reduce((sum, one) => sum + Math.max(0, one.capacity - one.held), 0),
  },
  watch: {
    "store.board"() {
      if (!this.items) this.search();
      else if (this.items.length <= 50) this.renew ??= setTimeout(() => { this.renew = null; this.search(); }, FRESH_SECONDS * 1000);
    },
    "store.language": "search",
  },
  methods: {
    t, customerOf, elapsed, gistOf, groupTitle, groupTitles, lastOf, moment, ownerTitle, open, reasonOf,
    percent: (part, whole) => (whole ? `${Math.round((100 * part) / whole)}%` : "—"),
    seconds: (count) => (count < 60 ? t("seconds_short", { count }) : t("minutes", { count: Math.round(count / 60) })),
    breakWord: (reason) => (`break_${reason}` in store.words ? t(`break_${reason}`) : reason),
    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(this.search, TYPING_PAUSE);
    },
    async search() {
      await this.fetch(null, []);
    },
    async more() {
      await this.fetch(this.next, this.items);
    },
    async fetch(after, before) {
      const asked = { q: this.q, owner: this.owner, after };
      try {
        const page = await call("search", asked);
        if (asked.q !== this.q || asked.owner !== this.owner) return;
        this.items = [...before, ...page.items];
        this.next = page.next;
      } catch (error) {
        toast(error.message, "bad");
      }
    },
  },
};
