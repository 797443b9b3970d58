// The right pane: what one must know before the first word. Every line leads to the message that says so.
import { nextTick } from "vue";
import { attempt, call, store, t, toast } from "jieli";
import { moment, ownerTitle } from "jieli/format.js";
import { Icon, Mood } from "jieli/icons.js";
import { jump, open } from "jieli/thread.js";

const CONTEXT = ["os", "os_version", "phone_model", "browser", "app_version", "device_model", "firmware_version", "page"];

// How far down a mood stands in the chart, of 5.
const DEPTH = { pleased: 0, calm: 1, anxious: 2, disappointed: 3, sarcastic: 3.5, angry: 4, abusive: 5 };
const STEP = 26;
const HEIGHT = 40;

export default {
  components: { Icon, Mood },
  data: () => ({ store, events: null, polished: null, wrong: null, right: "" }),
  template: `
    <aside class="facts" :class="{ shown: store.pane === 'facts' }" :aria-label="t('summary')">
      <div class="nothing small" v-if="!store.head"><Icon name="facts"/><p>{{ t('summary_empty') }}</p></div>
      <template v-else>
        <section class="brief" v-if="summary">
          <p class="headline">{{ polished?.headline ?? summary.headline }}</p>
          <p class="brief-marks"><Mood :label="summary.emotion.label"/><span class="reason" v-if="reason">{{ reason }}</span><span class="priority" v-if="handoff" :data-priority="handoff.priority">P{{ handoff.priority }} {{ t('priority_' + handoff.priority) }}</span></p>
          <svg class="course" v-if="course.length > 1" :viewBox="box" :width="width" :height="height" role="img" :aria-label="t('mood_course')"><polyline :points="curve"/><g v-for="(point, index) in points" :key="index" :class="'mood-' + point.label" @click="jump(point.seq)"><title>{{ t('mood_' + point.label) }}</title><circle :cx="point.x" :cy="point.y" r="5"/></g></svg>
          <p class="brief-tools"><button type="button" class="quiet" data-act="copy" @click="copy">{{ t('copy_summary') }}</button><button type="button" class="wrong" @click="strike('headline', { text: summary.headline })" :title="t('wrong_hint')">{{ t('wrong') }}</button></p>
        </section>
        <p class="empty" v-else>{{ t('loading') }}</p>
        <template v-if="summary">
          <section class="doubtful" v-if="summary.problem && summary.problem !== summary.headline"><h3>{{ t('problem') }}</h3><component :is="summary.problem_seq ? 'button' : 'p'" class="line" @click="jump(summary.problem_seq)">{{ summary.problem }}</component><button type="button" class="wrong" v-if="summary.problem_seq" @click="strike('problem', { text: summary.problem, quote: summary.problem_quote, seq: summary.problem_seq })" :title="t('wrong_hint')">{{ t('wrong') }}</button></section>
          <section v-if="summary.order"><h3>{{ t('order_now') }}</h3><p class="plain" data-order>{{ summary.order.text }}</p></section>
          <section v-if="summary.why"><details class="why"><summary>{{ t('why_handed_over', { score: summary.why.score }) }}</summary><ul class="lines"><li v-for="sign in summary.why.signals" :key="sign.name"><button class="line" type="button" @click="jump(sign.seqs.at(-1))"><b>{{ sign.weight > 0 ? '+' : '' }}{{ sign.weight }}</b><span>{{ sign.text }}</span></button></li></ul></details></section>
          <section v-if="summary.facts.length"><h3>{{ t('facts') }}</h3>
            <ul class="chips"><li v-for="fact in summary.facts" :key="fact.name"><component :is="fact.source.seq ? 'button' : 'span'" class="chip" :class="{ unsaid: !fact.source.seq }" :data-fact="fact.name" @click="jump(fact.source.seq)" :title="fact.quote ? t('quoted', { quote: fact.quote }) : origin(fact)">
              <span>{{ fact.label }}</span><b>{{ fact.text }}</b><i v-if="!fact.source.seq">{{ origin(fact) }}</i></component><button type="button" class="wrong" @click="doubt(fact)" :title="t('wrong_hint')">{{ t('wrong') }}</button>
              <form v-if="wrong === fact.name" class="correction" @submit.prevent="strike('facts', fact, right)"><input v-model="right" maxlength="200" :aria-label="t('right_value')" :placeholder="t('right_value')"><button class="quiet">{{ t('correct') }}</button></form>
              <button v-for="(old, index) in fact.history.filter((one) => one.source.seq)" :key="index" class="before" type="button" @click="jump(old.source.seq)">{{ t('before') }} {{ old.text }}</button></li></ul></section>
          <section v-if="summary.tried.length"><h3>{{ t('tried') }}</h3><ul class="lines"><li v-for="step in summary.tried" :key="step.seq + step.text"><button class="line" type="button" @click="jump(step.seq)"><Icon name="done"/><span>{{ step.text }}<q v-if="step.quote !== step.text">{{ step.quote }}</q></span></button><button type="button" class="wrong" @click="strike('tried', step)" :title="t('wrong_hint')">{{ t('wrong') }}</button></li></ul></section>
          <section v-if="summary.hopes.length"><h3>{{ t('hopes') }}</h3><ul class="lines"><li v-for="hope in summary.hopes" :key="hope.seq + hope.text"><button class="line" type="button" @click="jump(hope.seq)"><Icon name="flag"/><span>{{ hope.text }}<q v-if="hope.key !== 'own_words'">{{ hope.quote }}</q></span></button><button type="button" class="wrong" @click="strike('hopes', hope)" :title="t('wrong_hint')">{{ t('wrong') }}</button></li></ul></section>
          <section v-if="summary.next_steps.length"><h3>{{ t('next_steps') }}</h3><ul class="lines"><li v-for="step in summary.next_steps" :key="step.text" class="next"><Icon name="step"/><span>{{ step.text }}</span><button type="button" class="wrong" @click="strike('next_steps', { text: step.text, seq: step.source.seq })" :title="t('wrong_hint')">{{ t('wrong') }}</button></li></ul></section>
          <section v-if="polished?.replies.length"><h3>{{ t('drafts') }}</h3><ul class="lines"><li v-for="draft in polished.replies" :key="draft"><button class="line" type="button" @click="use(draft)"><Icon name="canned"/><span>{{ draft }}</span></button></li></ul></section>
          <section v-if="summary.promises.length"><h3>{{ t('promises') }}</h3><ul class="lines"><li v-for="promise in summary.promises" :key="promise.seq + promise.text"><button class="line" type="button" @click="jump(promise.seq)"><Icon name="clock"/><span>{{ promise.text }}<small v-if="promise.due_at" :class="{ late: isLate(promise) }">{{ t(isLate(promise) ? 'was_due' : 'due', { time: moment(promise.due_at) }) }}</small></span></button><button type="button" class="wrong" v-if="promise.state === 'said'" @click="strike('promises', promise)" :title="t('wrong_hint')">{{ t('wrong') }}</button></li></ul></section>
          <section v-if="summary.story.length"><details><summary>{{ t('story') }}</summary><ul class="lines"><li v-for="told in summary.story" :key="told.text"><button class="line" type="button" @click="jump(told.seqs[0])"><Icon :name="told.by === 'customer' ? 'user' : told.by === 'bot' ? 'bot' : 'chat'"/><span>{{ told.text }}</span></button><button type="button" class="wrong" @click="strike('story', { text: told.text, seq: told.seqs[0] })" :title="t('wrong_hint')">{{ t('wrong') }}</button></li></ul></details></section>
          <section v-if="summary.bot_said.length"><details><summary>{{ t('bot_said', { count: summary.bot_said.length }) }}</summary><ul class="lines"><li v-for="said in summary.bot_said" :key="said.seq"><button class="line" type="button" @click="jump(said.seq)"><Icon name="bot"/><span class="clamp">{{ said.text }}</span></button><button type="button" class="wrong" @click="strike('bot_said', said)" :title="t('wrong_hint')">{{ t('wrong') }}</button></li></ul></details></section>
        </template>
        <section v-if="context.length"><details><summary>{{ t('context') }}</summary><dl><template v-for="[name, value] in context" :key="name"><dt>{{ t('context_' + name) }}</dt><dd>{{ value }}</dd></template></dl></details></section>
        <section v-if="store.head.rating"><h3>{{ t('rating') }}</h3><p class="plain">{{ t('score', { score: store.head.rating.score }) }}<q v-if="store.head.rating.comment">{{ store.head.rating.comment }}</q></p></section>
        <section v-if="store.head.earlier.length"><details><summary>{{ t('earlier', { count: store.head.earlier.length }) }}</summary><ul class="lines"><li v-for="one in store.head.earlier" :key="one.id">
          <component :is="readable(one) ? 'button' : 'p'" class="line" @click="readable(one) && open(one.id)"><Icon name="chat"/><span>{{ moment(one.created_at) }} · {{ one.outcome ? t('outcome_' + one.outcome) : ownerTitle(one.owner) }}</span></component></li></ul></details></section>
        <section><details @toggle="loadEvents"><summary>{{ t('audit') }}</summary><ol class="audit" v-if="events"><li v-for="event in events" :key="event.version" :class="{ flagged: event.flagged }"><time>{{ moment(event.time) }}</time><span>{{ ownerTitle(event.from) }} → <b>{{ ownerTitle(event.to) }}</b><small>{{ why(event.reason) }} · {{ by(event.by) }}<em v-if="event.flagged">{{ t('flagged') }}</em></small><q v-if="event.note">{{ event.note }}</q></span></li></ol></details></section>
      </template>
    </aside>`,
  computed: {
    summary: () => store.summary,
    handoff: () => (["waiting", "ticket", "claimed"].includes(store.head?.handoff?.state) ? store.head.handoff : null),
    reason() {
      return store.summary?.reason ? t(`reason_${store.summary.reason}`) : null;
    },
    course: () => (store.summary?.emotion.course ?? []).slice(-8),
    points() {
      return this.course.map((felt, index) => ({ ...felt, x: index * STEP + STEP / 2, y: 6 + ((DEPTH[felt.label] ?? 1) / 5) * (HEIGHT - 12) }));
    },
    width() {
      return this.course.length * STEP;
    },
    height: () => HEIGHT,
    box() {
      return `0 0 ${this.width} ${HEIGHT}`;
    },
    curve() {
      return this.points.map((point) => `${point.x},${point.y}`).join(" ");
    },
    asked: () => `${store.summary?.id} ${store.messages.findLast((message) => message.sender === "customer")?.seq ?? 0} ${store.language}`,
    context: () => CONTEXT.filter((name) => store.head.context?.[name]).map((name) => [name, store.head.context[name]]),
  },
  watch: {
    "store.open"() {
      [this.events, this.polished, this.wrong] = [null, null, null];
    },
    asked: { immediate: true, handler: "polish" },
    "store.head.version"() {
      if (this.events) this.fetchEvents();
    },
  },
  methods: {
    readable: (one) => one.owner === "closed" || ["supervisor", "admin"].includes(store.me.role),
    t, jump, open, moment, ownerTitle,
    origin: (fact) => t(fact.source.lookup === "agent" ? "from_agent" : fact.source.lookup ? "from_lookup" : "from_context"),
    async polish() {
      const id = store.summary?.id;
      if (!id || !store.polishes) return;
      const polished = await call("polished", { id }).catch(() => null); // ours stands without it
      if (store.open === id) this.polished = polished;
    },
    use(draft) {
      store.pane = "talk";
      window.dispatchEvent(new CustomEvent("jieli:draft", { detail: draft }));
    },
    // By its name: the summary comes anew with every message, and what is being typed stays.
    async doubt(fact) {
      [this.wrong, this.right] = [this.wrong === fact.name ? null : fact.name, ""];
      await nextTick();
      this.$el.querySelector(".correction input")?.focus();
    },
    async strike(part, line, value = "") {
      const said = part === "facts" ? line.value : line.quote ?? line.text;
      const seq = (part === "facts" ? line.source.seq : line.seq) ?? null;
      const body = { part, name: part === "facts" ? line.name : null, seq, said, value: value.trim() || null };
      this.wrong = null;
      if (part === "headline") this.polished = null;
      if ((await attempt("wrong", { id: store.open, line: body })) !== undefined) toast(t("wrong_kept"), "good");
    },
    async copy() {
      const one = this.summary;
      const part = (key, lines) => (lines.length ? [`${t(key)}`, ...lines.map((line) => `- ${line}`)] : []);
      const text = [
        this.polished?.headline ?? one.headline, one.problem,
        ...part("facts", one.facts.map((fact) => `${fact.label} ${fact.text}`)), ...part("tried", one.tried.map((step) => step.text)),
        ...part("hopes", one.hopes.map((hope) => hope.text)), ...part("promises", one.promises.map((promise) => promise.text)),
        ...part("next_steps", one.next_steps.map((step) => step.text)),
      ].join("\n");
      try {
        await navigator.clipboard.writeText(text);
        toast(t("copied"), "good");
      } catch {
        toast(t("not_copied"), "bad");
      }
    },
    isLate: (promise) => promise.state === "overdue" || Date.parse(promise.due_at) < store.now + store.behind,
    why(reason) {
      for (const key of [`reason_${reason}`, `event_${reason}`, `outcome_${reason}`]) if (key in store.words) return t(key);
      return reason;
    },
    by(who) {
      return who.startsWith("agent:") ? ownerTitle(who) : t(`by_${who}`);
    },
    loadEvents(event) {
      if (event.target.open && !this.events) this.fetchEvents();
    },
    async fetchEvents() {
      const id = store.open;
      const events = await attempt("events", { id });
      if (events && store.open === id) this.events = events;
    },
  },
};
