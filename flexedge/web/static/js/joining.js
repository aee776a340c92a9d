// Linking: who and where, then what would be created, then doing it bit by bit.
import { ask } from "./ask.js";
import { html, say } from "./elements.js";

const WAYS = { have: "linked already", find: "found there", make: "will be made", ask: "name is taken there", leave: "is not sent" };
const MOST_WAIT_S = 60;
export const pause = (s) => new Promise((go) => setTimeout(go, 1000 * Math.min(s, MOST_WAIT_S)));

export class Joining {
  constructor(section, path, done) {
    this.path = path;
    this.done = done;
    this.way = "password";
    this.at = (id) => section.querySelector(`#${id}`);
    this.form = this.at("join-form");
    this.error = this.form.querySelector(".error");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.plan();
    });
    this.form.addEventListener("input", () => this.complain(null));
    for (const button of this.form.querySelectorAll("[data-way]")) {
      button.addEventListener("click", () => this.choose(button.dataset.way));
    }
    for (const toggle of this.form.querySelectorAll("[data-show]")) {
      toggle.addEventListener("click", () => this.show(toggle));
    }
    this.at("plan-back").addEventListener("click", () => this.back());
    this.at("plan-go").addEventListener("click", () => this.go());
    this.at("account").addEventListener("change", () => this.plan());
    this.at("same").addEventListener("change", () => this.plan());
  }

  show(toggle) {
    const field = this.form.querySelector(`#${toggle.dataset.show}`);
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    say(toggle, shown ? "Hide" : "Show");
    toggle.setAttribute("aria-pressed", shown);
  }

  choose(way) {
    this.way = way;
    for (const button of this.form.querySelectorAll("[data-way]")) {
      button.setAttribute("aria-pressed", button.dataset.way === way);
    }
    for (const part of this.form.querySelectorAll("[data-of]")) part.hidden = part.dataset.of !== way;
  }

  // What is missing, in words; null where nothing is.
  missing() {
    for (const field of this.form.elements) {
      if (!field.willValidate || field.closest("[hidden]") || field.checkValidity()) continue;
      field.focus();
      const label = this.form.querySelector(`label[for="${field.id}"]`).textContent;
      if (field.validity.valueMissing) return `${label} is missing.`;
      if (field.validity.patternMismatch) return `${label}: small letters, digits and dashes, please; a letter first.`;
      return `${label} is not right: ${field.validationMessage}`;
    }
    return null;
  }

  asked() {
    const value = (name) => this.form.elements[name].value;
    const who = this.way === "token" ? { token: value("token").trim() } : { email: value("email").trim(), password: value("password") };
    const account = this.at("account").value;
    return {
      url: value("url").trim(), name: value("name").trim(), ...who,
      ...(account ? { account: Number(account) } : {}), same_name: this.at("same").value,
    };
  }

  complain(message) {
    for (const place of [this.error, this.at("plan-error")]) {
      say(place, message ?? "");
      place.hidden = !message;
    }
  }

  async plan() {
    const missing = this.missing();
    this.complain(missing);
    if (missing) return;
    const button = this.form.querySelector("[type=submit]");
    button.disabled = true;
    say(button, "Looking…");
    const answer = await ask("POST", `${this.path}/plan`, this.asked());
    button.disabled = false;
    say(button, "See what would be created");
    this.complain(answer.message);
    if (answer.ok) this.draw(answer.content);
  }

  draw(plan) {
    this.planned = plan;
    const made = plan.steps.filter((step) => step.way === "make").length;
    const undecided = plan.steps.some((step) => step.way === "ask");
    say(this.at("plan-head"), `${plan.url} is ${plan.server} ${plan.version}; you are ${plan.user || "known by the token"} there. ${made} of ${plan.steps.length} assets and sensors will be made.`);
    const account = this.at("account");
    account.replaceChildren(...plan.accounts.map((one) => html("option", { value: one.id, selected: one.id === plan.account ? "" : null }, one.name)));
    this.at("plan-account").hidden = plan.accounts.length < 2;
    this.at("plan-ask").hidden = !undecided && this.at("same").value === "ask";
    this.at("plan-notes").replaceChildren(...plan.notes.map((note) => html("li", {}, note)));
    this.at("steps").replaceChildren(...plan.steps.map((step) => html("tr", { "data-way": step.way },
      html("th", { scope: "row" }, step.path), html("td", {}, step.way === "leave" ? "" : step.name),
      html("td", {}, [WAYS[step.way], ...step.notes].join("; ")))));
    this.form.hidden = true;
    this.at("plan").hidden = false;
    this.at("plan-go").disabled = undecided;
    say(this.at("progress"), undecided ? "Choose first what to do where a name is taken." : "");
    if (!this.at("plan").contains(document.activeElement)) this.at("plan").focus();
  }

  back() {
    this.at("plan").hidden = true;
    this.form.hidden = false;
    this.at("account").replaceChildren();
    this.at("same").value = "ask";
    this.complain(null);
    this.form.elements.url.focus();
  }

  async go() {
    const go = this.at("plan-go");
    go.disabled = true;
    this.complain(null);
    let body = this.asked();
    for (let left = 1; left > 0;) {
      const answer = await ask("POST", this.path, body);
      if (!answer.ok) {
        this.complain(`${answer.message} What was made so far is kept; link again to go on.`);
        go.disabled = false;
        return this.done();
      }
      const told = answer.content;
      left = told.left;
      say(this.at("progress"), left ? `${told.done.at(-1) ?? "waiting"}; ${left} to go` : "Linked.");
      if (told.undecided.length) return this.draw({ ...this.planned, steps: told.undecided });
      const { email, password, token, ...rest } = body;  // the gateway has them now
      body = rest;
      const refused = Object.entries(told.refused).map(([what, why]) => `${what}: ${why}`);
      if (refused.length) this.complain(`Not taken there: ${refused.join("; ")}`);
      if (left && told.wait_s) await pause(told.wait_s);
    }
    this.form.reset();
    this.choose("password");
    if (this.at("plan-error").hidden) this.back();
    this.done();
  }
}
