// The frame: launcher, window, header. Opening, closing, focus, and phones whose keyboard covers half the page.

const PHONE = "(max-width: 480px)";

class Shell {
  // actions: opened(), closed(), language(), sound()
  constructor(options, actions) {
    this.actions = actions;
    this.host = el("div", { id: "jieli-widget" });
    this.shade(options.scheme);
    this.host.style.setProperty("--accent", readable(options.color));
    this.root = this.host.attachShadow({ mode: "open" });
    this.dress();
    const opens = { class: "launcher", type: "button", "aria-haspopup": "dialog", onclick: () => this.open() };
    this.launcher = el("button", opens);
    this.launcher.hidden = options.launcher === "off";
    this.badge = el("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcherText = el("span", { class: "launcher-text" });
    this.launcher.append(icon("chat"), this.launcherText, this.badge);
    this.panel = this.makePanel(options.title);
    this.root.append(this.launcher, this.panel);
    document.body.append(this.host);
    this.watchViewport();
  }

  // scheme: "light", "dark", or "auto" as the person's system has it
  shade(scheme) {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => scheme === "dark" || (scheme === "auto" && system.matches);
    const apply = () => this.host.toggleAttribute("data-dark", isDark());
    system.addEventListener("change", apply);
    apply();
  }

  // Constructed style sheets need no 'unsafe-inline' in the site's policy.
  dress() {
    if ("adoptedStyleSheets" in this.root && "replaceSync" in CSSStyleSheet.prototype) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.root.adoptedStyleSheets = [sheet];
    } else {
      this.root.append(el("style", {}, STYLE));
    }
  }

  makePanel(title) {
    this.title = title;
    this.heading = el("h2", { id: "title" });
    this.speaker = el("p", { class: "speaker" });
    this.languageButton = el("button", { class: "plain word", type: "button", onclick: () => this.actions.language() });
    this.soundButton = el("button", { class: "plain", type: "button", onclick: () => this.actions.sound() });
    this.closeButton = el("button", { class: "plain", type: "button", onclick: () => this.close() });
    this.avatar = el("span", { class: "avatar", "aria-hidden": "true" }, icon("chat"));
    const header = el("header", {}, this.avatar, el("div", { class: "names" }, this.heading, this.speaker),
      this.languageButton, this.soundButton, this.closeButton);
    const role = { role: "dialog", "aria-modal": "true", "aria-labelledby": "title", tabindex: "-1" };
    const panel = el("section", { class: "panel", hidden: true, ...role }, header);
    panel.addEventListener("keydown", (event) => this.key(event));
    panel.addEventListener("click", () => setTimeout(() => this.keepFocus()));
    for (const event of ["focusin", "pointerdown"]) {
      document.addEventListener(event, (happened) => (this.inside = happened.composedPath().includes(this.host)), true);
    }
    return panel;
  }

  // A pressed button may be gone or disabled the next moment; without this, Escape and Tab would land on the site.
  keepFocus() {
    const active = this.root.activeElement;
    const lost = !active || active.disabled || (active !== this.panel && active.offsetParent === null);
    if (this.isOpen && this.inside && lost) this.rest();
  }

  // Where the focus waits: where one writes, but on a phone not there, or its keyboard would cover what is to be read.
  rest() {
    (this.phone.matches ? this.resting.reading : this.resting.writing).focus({ preventScroll: true });
  }

  translate(soundOn) {
    this.panel.lang = language === "zh" ? "zh-CN" : "en";
    this.launcher.lang = this.panel.lang;
    this.heading.textContent = this.title || say("title");
    this.launcherText.textContent = say("launcher");
    this.languageButton.textContent = say("switch_mark");
    name(this.languageButton, say("switch_language"));
    name(this.closeButton, say("close"), "close");
    name(this.soundButton, say(soundOn ? "sound_is_on" : "sound_is_off"), soundOn ? "sound" : "mute");
    this.soundButton.setAttribute("aria-pressed", String(soundOn));
    this.count(this.unread || 0);
  }

  speaks(text, withPerson) {
    this.speaker.textContent = text;
    this.avatar.replaceChildren(icon(withPerson ? "person" : "chat"));
  }

  count(unread) {
    this.unread = unread;
    this.badge.hidden = unread === 0;
    this.badge.textContent = unread > 99 ? "99+" : String(unread);
    this.launcher.setAttribute("aria-label", unread ? say("launcher_unread", { count: unread }) : say("launcher"));
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  open() {
    if (this.isOpen) return;
    const inside = document.activeElement === this.host ? this.root.activeElement : document.activeElement;
    this.before = inside && inside !== document.body ? inside : this.launcher;
    this.panel.hidden = false;
    this.launcher.classList.add("away");
    this.fit();
    this.actions.opened();
  }

  close() {
    if (!this.isOpen) return;
    this.panel.hidden = true;
    this.launcher.classList.remove("away");
    this.fit();
    this.before.focus();
    // It is gone or hidden.
    if ((this.root.activeElement || document.activeElement) !== this.before) this.launcher.focus();
    this.actions.closed();
  }

  key(event) {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Tab") {
      this.trap(event);
    }
  }

  trap(event) {
    const stops = [...this.panel.querySelectorAll("button, textarea, input:not([type=file]), a[href], [tabindex='0']")]
      .filter((node) => !node.disabled && node.offsetParent !== null);
    const leaving = event.shiftKey ? stops[0] : stops[stops.length - 1];
    if (this.root.activeElement !== leaving) return;
    event.preventDefault();
    (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
  }

  watchViewport() {
    this.phone = matchMedia(PHONE);
    this.phone.addEventListener("change", () => this.fit());
    if (!window.visualViewport) return;
    for (const event of ["resize", "scroll"]) window.visualViewport.addEventListener(event, () => this.fit());
  }

  // On a phone the window fills what the keyboard leaves of the screen, and the page behind does not scroll.
  fit() {
    const full = this.isOpen && this.phone.matches;
    const page = document.documentElement.style;
    if (full && this.pageOverflow === undefined) {
      this.pageOverflow = page.overflow;
      page.overflow = "hidden";
    } else if (!full && this.pageOverflow !== undefined) {
      page.overflow = this.pageOverflow;
      this.pageOverflow = undefined;
    }
    const view = window.visualViewport;
    if (!full || !view) return;
    this.host.style.setProperty("--height", `${view.height}px`);
    this.host.style.setProperty("--top", `${view.offsetTop}px`);
    if (this.actions.resized) this.actions.resized();
  }
}
