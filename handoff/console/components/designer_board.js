// How the bot's conversations went: counts, and single masked phrases that nobody is known by.
import { attempt, store, t, toast } from "jieli";
import { moment } from "jieli/format.js";

const PERIODS = [1, 7, 30];
const LISTS = ["lost", "unsure"];

export default {
  data: () => ({ store, periods: PERIODS, lists: LISTS, days: 7, tab: "lost", copied: null }),
  template: `
    <div class="board" v-if="!store.board"><p class="empty">{{ t('loading') }}</p></div>
    <div class="board" v-else>
      <div class="card-head"><h1>{{ t('review_title') }}</h1><span class="spread"></span>
        <div class="segments" role="radiogroup" :aria-label="t('period')"><button v-for="one in periods" :key="one" type="button" role="radio" :aria-checked="days === one ? 'true' : 'false'" @click="choose(one)">{{ period(one) }}</button></div></div>
      <p class="soft lead">{{ t('review_lead') }}</p>
      <ul class="tiles">
        <li><span>{{ t('conversations') }}</span><b>{{ figures.conversations }}</b><small>{{ period(days) }}</small></li>
        <li><span>{{ t('tile_messages') }}</span><b>{{ figures.messages }}</b><small>{{ t('tile_typed') }}</small></li>
        <li :class="{ alarm: figures.lost }"><span>{{ t('tile_lost') }}</span><b>{{ share(figures.lost, figures.messages) }}</b><small>{{ t('tile_lost_count', { count: figures.lost }) }}</small></li>
        <li><span>{{ t('tile_handed') }}</span><b>{{ share(figures.handoffs, figures.conversations) }}</b><small>{{ t('tile_handed_count', { count: figures.handoffs }) }}</small></li>
      </ul>
      <div class="board-pair">
        <section class="card" :aria-label="t('write_next')">
          <div class="tabs" role="tablist"><button v-for="list in lists" :key="list" type="button" role="tab" :aria-selected="tab === list ? 'true' : 'false'" @click="tab = list">{{ t('phrases_' + list) }}<span class="count">{{ store.board[list].length }}</span></button></div>
          <p class="soft inset">{{ t('phrases_' + tab + '_hint') }}</p>
          <p class="empty" v-if="!store.board[tab].length">{{ t('no_phrases') }}</p>
          <ul class="phrases" v-else><li v-for="phrase in store.board[tab]" :key="phrase.text"><span class="phrase">{{ phrase.text }}</span><small v-if="tab === 'unsure'"><code>{{ phrase.intent }}</code> {{ phrase.confidence.toFixed(2) }}</small><small class="soft">{{ moment(phrase.last) }}</small><b class="times">×{{ phrase.count }}</b>
            <button class="button small" type="button" @click="copy(phrase.text)">{{ copied === phrase.text ? t('copied') : t('copy') }}</button></li></ul>
        </section>
        <div class="stack">
          <section class="card"><h2>{{ t('intents') }}</h2><p class="empty" v-if="!store.board.intents.length">{{ t('no_data') }}</p>
            <table v-else><thead><tr><th>{{ t('intent') }}</th><th class="number">{{ t('times') }}</th><th class="number">{{ t('confidence') }}</th><th class="number">{{ t('upset') }}</th></tr></thead>
              <tbody><tr v-for="row in store.board.intents" :key="row.name"><td><code>{{ row.name }}</code><i class="share" :style="{ width: width(row.count) }" aria-hidden="true"></i></td><td class="number">{{ row.count }}</td><td class="number" :class="{ late: row.confidence < 0.6 }">{{ row.confidence.toFixed(2) }}</td><td class="number">{{ row.upset || '' }}</td></tr></tbody></table></section>
          <section class="card corrections" :aria-label="t('corrections')"><h2>{{ t('corrections') }}</h2><p class="soft inset">{{ t('corrections_hint') }}</p><p class="empty" v-if="!store.board.corrections.length">{{ t('no_corrections') }}</p>
            <ul class="phrases" v-else><li v-for="(row, index) in store.board.corrections" :key="index"><span class="phrase"><small class="soft">{{ part(row) }}</small> <del>{{ row.claimed }}</del><template v-if="row.value"> → <ins>{{ row.value }}</ins></template><q class="soft" v-if="row.quote && row.quote !== row.claimed">{{ row.quote }}</q></span><small class="soft">{{ moment(row.created_at) }}</small></li></ul></section>
          <section class="card"><h2>{{ t('reasons') }}</h2><p class="empty" v-if="!store.board.reasons.length">{{ t('no_data') }}</p>
            <ul class="groups" v-else><li v-for="row in store.board.reasons" :key="row.name"><b>{{ t('reason_' + row.name) }}</b><span>{{ row.count }}</span></li></ul></section>
        </div>
      </div>
    </div>`,
  computed: {
    figures: () => store.board.figures,
    most: () => Math.max(1, ...store.board.intents.map((row) => row.count)),
  },
  methods: {
    t, moment,
    part: (row) => row.label ?? t(`part_${row.part}`),
    period: (days) => (days === 1 ? t("last_day") : t("last_days", { count: days })),
    share: (part, whole) => (whole ? `${Math.round((100 * part) / whole)}%` : "—"),
    width(count) {
      return `${Math.round((100 * count) / this.most)}%`;
    },
    async choose(days) {
      this.days = days;
      const review = await attempt("period", { days });
      if (review) store.board = review;
    },
    async copy(words) {
      try {
        await navigator.clipboard.writeText(words);
      } catch {
        toast(t("copy_refused"), "bad"); // browsers allow it on secure pages only
        return;
      }
      this.copied = words;
      setTimeout(() => { this.copied = null; }, 1500);
    },
  },
};
