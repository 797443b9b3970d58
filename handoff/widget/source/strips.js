// The strips above and below the log: who speaks, the place in line, 转人工, the state of the line, warnings, rating.

class Strips {
  // actions: person(), giveUp(), rate(score, comment) -> Promise, skip()
  constructor(actions) {
    this.actions = actions;
    this.rated = false;
    this.person = el("button", { class: "person", type: "button", onclick: () => actions.person() });
    this.leave = el("button", { class: "link", type: "button", onclick: () => actions.giveUp() });
    this.place = el("p", { class: "place" });
    this.hint = el("p", { class: "hint" });
    const where = el("div", { class: "where", role: "status" }, this.place, this.hint, this.leave);
    this.top = el("div", { class: "top" }, where, this.person);
    this.connection = el("p", { class: "connection", role: "status" });
    this.warning = el("div", { class: "warning", role: "alert" });
    this.rating = el("form", { class: "rating", hidden: true, onsubmit: (event) => this.rate(event) });
  }

  // state: {owner, queue, asking (转人工 pressed, not confirmed yet), agent (name or ""), rates (whether a rating is wanted), line}
  show(state) {
    this.state = state;
    this.showPerson(state);
    this.showPlace(state);
    this.connection.textContent = state.line === "online" ? "" : say(state.line);
    const ended = state.owner === "closed";
    const show = ended && state.rates && !this.rated;
    if (show && this.rating.hidden) this.makeRating();
    this.rating.hidden = !show;
  }

  showPerson({ owner, asking }) {
    let kind = asking ? "person_asked" : "person";
    if (owner === "queue") kind = "person_waiting";
    if (owner.startsWith("agent:")) kind = "person_here";
    this.person.replaceChildren(icon("person"), say(kind));
    this.person.title = kind === "person" ? say("person_hint") : "";
    // Not `disabled`: the focus would be lost at the moment of pressing.
    this.person.setAttribute("aria-disabled", String(kind !== "person"));
    this.person.classList.toggle("idle", kind !== "person");
  }

  showPlace({ owner, queue, asking, agent }) {
    const waiting = owner === "queue";
    this.leave.hidden = !waiting;
    this.leave.textContent = say("give_up");
    this.write(this.place, waiting ? this.inLine(queue) : this.speaker(owner, asking, agent));
    this.hint.hidden = !(waiting && queue && queue.opens_at);
    this.write(this.hint, say("queue_ticket_hint"));
    this.top.classList.toggle("waiting", waiting);
  }

  // Written only when it changes, or a screen reader would repeat it.
  write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  speaker(owner, asking, agent) {
    if (owner === "closed") return say("closed");
    if (owner.startsWith("agent:")) return agent ? say("with_agent", { name: agent }) : say("with_some_agent");
    return asking ? say("queue_joined") : say("with_bot");
  }

  inLine(queue) {
    if (!queue) return say("queue_joined");
    if (queue.opens_at) return say("queue_ticket", { time: moment(new Date(queue.opens_at)) });
    const { position, wait_seconds: seconds } = queue;
    if (seconds === null) return say("queue_unknown", { position });
    if (seconds < 60) return say("queue_soon", { position });
    return say("queue_wait", { position, minutes: Math.ceil(seconds / 60) });
  }

  warn(text) {
    const dismiss = el("button", { class: "link", type: "button", onclick: () => this.calm() }, say("dismiss"));
    this.warning.replaceChildren(el("p", {}, text), dismiss);
  }

  calm() {
    this.warning.replaceChildren();
  }

  makeRating() {
    const star = (score) => {
      const input = el("input", { type: "radio", name: "score", value: score, id: `score-${score}`, class: "unseen" });
      input.addEventListener("change", () => this.chosen(score));
      const words = el("span", { class: "unseen" }, `${score} ${say(`score_${score}`)}`);
      const shape = el("span", { "aria-hidden": "true" }, "★");
      return [input, el("label", { for: `score-${score}`, "data-score": score }, words, shape)];
    };
    const group = { class: "stars", role: "radiogroup", "aria-label": say("rate_label") };
    this.stars = el("div", group, ...[1, 2, 3, 4, 5].flatMap(star));
    this.score = 0;
    this.meaning = el("p", { class: "meaning", "aria-hidden": "true" });
    const hint = say("rate_comment");
    this.comment = el("textarea", { rows: 2, maxlength: 2000, placeholder: hint, "aria-label": hint, hidden: true });
    this.finish = el("button", { class: "filled", type: "submit", disabled: true }, say("rate_send"));
    const skip = el("button", { class: "link", type: "button", onclick: () => this.skip() }, say("rate_skip"));
    this.rating.replaceChildren(el("p", { class: "question" }, say("rate")), this.stars, this.meaning, this.comment,
      el("div", { class: "ends" }, skip, this.finish));
  }

  chosen(score) {
    this.score = score;
    this.stars.querySelector(`#score-${score}`).checked = true;
    for (const label of this.stars.querySelectorAll("label")) {
      label.classList.toggle("lit", Number(label.dataset.score) <= score);
    }
    this.meaning.textContent = say(`score_${score}`);
    this.comment.hidden = false;
    this.finish.disabled = false;
  }

  skip() {
    this.rated = true;
    this.actions.skip();
    this.show(this.state);
  }

  async rate(event) {
    event.preventDefault();
    this.finish.disabled = true;
    const done = await this.actions.rate(this.score, this.comment.value.trim());
    if (!done) {
      this.finish.disabled = false;
      return;
    }
    this.rated = true;
    this.show(this.state);
  }

  translate() {
    this.calm();
    if (this.rating.hidden) return;
    const { score, comment } = this;
    this.makeRating();
    this.comment.value = comment.value;
    if (score) this.chosen(score);
  }
}
