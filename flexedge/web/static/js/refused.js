// Values that centres did not take: why, and what is to become of them.
import { ask } from "./ask.js";
import { html, keep, say } from "./elements.js";
import { ago, quantity } from "./format.js";

const SHOWN = 50;
const ROLES = { "": "", forecast: "forecast ", schedule: "schedule " };

function values(one) {
  if (one.count === 1) return one.values[0] === null ? "a missing value" : quantity(one.values[0], one.unit);
  return `${one.count} values`;
}

function sentence(one) {
  const from = new Date(one.start).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  return `${ROLES[one.role] ?? `${one.role} `}${values(one)} of ${from}`;
}

export class Refused {
  constructor(section, dialog, path, mayAct, look) {
    Object.assign(this, { section, dialog, path, mayAct, look });
    this.find = (selector) => section.querySelector(selector);
    this.find(".again").addEventListener("click", () => this.act({ all: true }));
    this.find(".give-up").addEventListener("click", () => this.doubt({ all: true }, "all of them"));
    dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
    dialog.querySelector(".go").addEventListener("click", () => {
      dialog.close();
      this.act({ ...this.doubted, drop: true });
    });
  }

  // What is given up is never sent: so that is asked for twice.
  doubt(which, words) {
    this.doubted = which;
    say(this.dialog.querySelector(".help"), `No centre will ever get ${words}. They stay here.`);
    this.dialog.showModal();
  }

  async act(which) {
    const answer = await ask("POST", `${this.path}/retry`, which);
    this.tell(answer.ok ? "" : answer.message);
    this.look();
  }

  tell(words) {
    const error = this.find(".error");
    say(error, words);
    error.hidden = !words;
  }

  async draw(some, now) {
    if (!some) {
      this.section.hidden = true;
      return;
    }
    const answer = await ask("GET", `${this.path}/rejected?limit=${SHOWN}`);
    if (!answer.ok) return this.tell(answer.message);
    const { count, entries } = answer.content;
    this.section.hidden = !count;
    this.find(".acts").hidden = !this.mayAct();
    keep(this.find("ul"), entries, (one) => String(one.number), (one) => this.made(one), (item, one) => {
      item.one = one;
      say(item.querySelector(".what"), sentence(one));
      say(item.querySelector(".reason"), one.why);
      const tries = one.tries === 1 ? "" : `, after ${one.tries} tries`;
      say(item.querySelector(".note"), `${one.centre}, ${ago((now - new Date(one.at)) / 1000)}${tries}${one.again ? "; tried once more as soon as it can be" : ""}`);
      item.querySelector(".acts").hidden = !this.mayAct();
      item.querySelector(".again").disabled = one.again;
    });
    const left = count - entries.length;
    say(this.find(".more"), left ? `and ${left} more` : "");
  }

  made(one) {
    const button = (name, text, act) => {
      const element = html("button", { type: "button", class: `quiet ${name}`, "aria-label": `${text}: ${one.sensor}, ${sentence(one)}` }, text);
      element.addEventListener("click", act);
      return element;
    };
    const which = { numbers: [one.number] };
    return html("li", { class: "refusal" },
      html("div", {}, html("code", {}, one.sensor), " ", html("span", { class: "what" }),
        html("p", { class: "reason error" }), html("p", { class: "note" })),
      html("div", { class: "acts" },
        button("again", "Try again", () => this.act(which)),
        button("give-up", "Give up", () => this.doubt(which, `${sentence(one)} (${one.sensor})`))));
  }
}
