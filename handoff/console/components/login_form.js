// Name and password.
import { call, chooseLanguage, store, t } from "jieli";
import { Icon } from "jieli/icons.js";

export default {
  components: { Icon },
  data: () => ({ store, name: "", password: "", problem: "", busy: false }),
  template: `
    <main class="login">
      <form class="login-card" @submit.prevent="enter" :aria-label="t('login')">
        <svg class="login-mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M6 15c3-6 7-6 10-1.5s7 5 10-1.5M6 22c3-5 7-5 10-1s7 4.5 10-1"/></svg>
        <h1>{{ t('brand') }}</h1>
        <p class="soft">{{ t('login_lead') }}</p>
        <label>{{ t('name') }}<input v-model.trim="name" name="username" autocomplete="username" required maxlength="100" autofocus ref="name"></label>
        <label>{{ t('password') }}<input v-model="password" name="password" type="password" autocomplete="current-password" required maxlength="1000"></label>
        <p class="problem" role="alert" v-if="problem">{{ problem }}</p>
        <button class="button primary wide" :disabled="busy">{{ t('login') }}</button>
      </form>
      <button class="button ghost" type="button" @click="chooseLanguage(store.language === 'zh' ? 'en' : 'zh')" :lang="store.language === 'zh' ? 'en' : 'zh'">
        <Icon name="globe"/>{{ t('other_language') }}
      </button>
    </main>`,
  mounted() {
    this.$refs.name.focus();
  },
  methods: {
    t,
    chooseLanguage,
    async enter() {
      this.problem = "";
      this.busy = true;
      try {
        const { go } = await call("login", { name: this.name, password: this.password });
        window.location.href = go;
      } catch (error) {
        this.problem = error.message;
        this.busy = false;
      }
    },
  },
};
