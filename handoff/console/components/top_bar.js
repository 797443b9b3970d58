// The bar on top: pages, presence, alerts, language, help, and the account.
import { attempt, chooseLanguage, leave, store, t } from "jieli";
import { alerts, switchNotices, switchSound } from "jieli/alerts.js";
import { Icon } from "jieli/icons.js";

export default {
  components: { Icon },
  data: () => ({ store, menu: null, sound: alerts.sound, notices: alerts.notices }),
  template: `
    <header class="bar">
      <a class="brand" :href="store.page" :aria-label="t('brand')">
        <svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 14c3.500-7 8-7 12-1.500s8 5.500 12-1.500M4 23c3.500-6 8-6 12-1s8 5 12-1"/></svg><b>{{ t('brand_short') }}</b>
      </a>
      <nav v-if="store.pages.length > 1" :aria-label="t('pages')">
        <a v-for="page in store.pages" :key="page" :href="page" :aria-current="page === store.page ? 'page' : null">{{ t('page_' + page.slice(1)) }}</a>
      </nav>
      <div class="presence" role="radiogroup" :aria-label="t('presence')" v-if="store.page === '/desk'">
        <button v-for="status in ['online', 'break', 'offline']" :key="status" type="button" role="radio" :data-status="status"
          :aria-checked="store.me.status === status ? 'true' : 'false'" @click="choose(status)"><i aria-hidden="true"></i>{{ t('presence_' + status) }}<span v-if="status === 'break' && breakReason">{{ breakReason }}</span></button>
      </div>
      <span class="load" v-if="store.page === '/desk' && store.mine" :title="t('load')">{{ t('load_short', { held: store.mine.length, capacity: store.me.capacity }) }}</span>
      <span class="spread"></span>
      <span class="offline-mark" role="status" v-if="!store.connected">{{ t('reconnecting') }}</span>
      <div class="menu-place" v-if="store.page !== '/designer'">
        <button class="bar-button" type="button" @click="toggle('alerts')" :aria-expanded="menu === 'alerts'" :aria-label="t('alerts')" :title="t('alerts')"><Icon name="bell"/></button>
        <div class="menu" v-if="menu === 'alerts'">
          <label><input type="checkbox" v-model="sound" @change="switchSound(sound)">{{ t('sound') }}</label>
          <label><input type="checkbox" :checked="notices" @change="setNotices($event.target.checked)">{{ t('notices') }}</label>
        </div>
      </div>
      <button class="bar-button words" type="button" @click="chooseLanguage(store.language === 'zh' ? 'en' : 'zh')" :lang="store.language === 'zh' ? 'en' : 'zh'" :aria-label="t('other_language')">{{ t('other_language_mark') }}</button>
      <button class="bar-button" type="button" v-if="store.page === '/desk'" @click="store.dialog = { kind: 'help' }" :aria-label="t('help')" :title="t('help')"><Icon name="help"/></button>
      <div class="menu-place">
        <button class="bar-button account" type="button" @click="toggle('account')" :aria-expanded="menu === 'account'" :aria-label="t('account')"><Icon name="user"/><span>{{ store.me.name }}</span></button>
        <div class="menu" v-if="menu === 'account'">
          <p><b>{{ store.me.name }}</b><br>{{ t('role_' + store.me.role) }}</p>
          <button type="button" @click="leave"><Icon name="out"/>{{ t('logout') }}</button>
        </div>
      </div>
    </header>`,
  mounted() {
    document.addEventListener("click", this.closeOutside);
    document.addEventListener("keydown", this.closeOnEscape);
  },
  computed: {
    breakReason() {
      const reason = store.me.status === "break" && store.me.status_reason;
      if (!reason) return "";
      return ` · ${["meal", "rest", "training", "meeting"].includes(reason) ? t(`break_${reason}`) : reason}`;
    },
  },
  methods: {
    t,
    chooseLanguage,
    switchSound,
    toggle(menu) {
      this.menu = this.menu === menu ? null : menu;
    },
    closeOutside(event) {
      if (!event.target.closest?.(".menu-place")) this.menu = null;
    },
    closeOnEscape(event) {
      if (event.key === "Escape") this.menu = null;
    },
    choose(status) {
      if (status === "break" || (status === "offline" && store.mine?.length)) store.dialog = { kind: "presence", status };
      else attempt("presence", { status });
    },
    async setNotices(on) {
      this.notices = await switchNotices(on);
    },
    leave() {
      if (store.mine?.length) store.dialog = { kind: "presence", status: "logout" };
      else leave();
    },
  },
};
