// The page about central servers: how things stand, linking, unlinking, the owner's veto.
import { ask } from "./ask.js";
import { makeCentre, updateCentre } from "./centre.js";
import { html, keep, mark, say } from "./elements.js";
import { ago, seconds } from "./format.js";
import { Joining, pause } from "./joining.js";
import { Refused } from "./refused.js";

const SYNC = "/api/v3_0/gateway/sync";
const CENTRES = "/api/v3_0/gateway/centres";
const EVERY_MS = 5000;
const WORDS = { live: "Live", lost: "Connection lost", connecting: "Connecting" };
const at = (id) => document.getElementById(id);
let admin = false;
let vetoed = false;
let timer = 0;

function state(name) {
  mark(at("link"), "data-state", name);
  say(at("link").lastElementChild, WORDS[name]);
  document.body.classList.toggle("old", name === "lost");
}

function complain(place, message) {
  place.textContent = message;
  place.hidden = !message;
}

const actions = {
  async now(centre, error) {
    const answer = await ask("POST", `${SYNC}/now`, { centre: centre.name });
    complain(error, answer.message);
    if (answer.ok) setTimeout(look, 800);
  },
  unlink(centre) {
    const dialog = at("unlink");
    dialog.centre = centre.name;
    say(at("unlink-title"), `Unlink ${centre.name}`);
    say(at("unlink-words"), `This gateway forgets ${centre.url}: who it is there, and what has arrived there. All values stay here; what was made there stays, too.`);
    at("unlink-there").checked = false;
    complain(at("unlink-error"), "");
    dialog.showModal();
  },
};

function draw(told) {
  const now = new Date(told.now);
  at("none").hidden = told.linked;
  keep(at("centres"), told.centres, (centre) => centre.name, (centre) => makeCentre(centre, actions, () => admin),
    (element, centre) => updateCentre(element, centre, now, admin));
  vetoed = told.veto !== null;
  at("veto").hidden = !told.linked && !vetoed;
  at("veto-switch").hidden = !admin;
  say(at("veto-switch"), vetoed ? "Let centres again" : "Let nothing take effect");
  say(at("veto-words"), vetoed
    ? `${told.veto.who} lets nothing that centres ask for take effect on this site.`
    : "Edits, commands and schedules of centres take effect as far as the site file allows.");
  refused.draw(told.centres.some((centre) => centre.refused), now);
  drawCame(told, now);
  at("main").removeAttribute("aria-busy");
}

// Edits, commands and schedules, a sentence each.
function drawCame(told, now) {
  const shown = (value) => (value === null ? "nothing" : typeof value === "string" ? value : JSON.stringify(value));
  const planned = (one) => (one.in_force ? `${one.centre} planned it ${ago((now - new Date(one.made_at)) / 1000)}` : `its planner is ${one.planner}`);
  const left = (moment) => seconds(Math.max((new Date(moment) - now) / 1000, 0));
  const lines = [
    ...told.centres.flatMap((centre) => centre.edits).map((one) => [one.fate === "on trial" ? "fair" : one.fate === "in force" ? "good" : "none", one.fate,
      `${one.about}: ${one.field} ${shown(one.theirs)} instead of ${shown(one.ours)}${one.why ? `: ${one.why}` : ""}${one.until ? `; confirmed in ${left(one.until)} if nothing goes wrong` : ""}`]),
    ...told.centres.flatMap((centre) => centre.commands).reverse().map((one) => [one.result === "done" ? "good" : "none", one.result,
      `${one.command}${one.by ? ` by ${one.by}` : ""}, ${ago((now - new Date(one.at)) / 1000)}${one.why ? `: ${one.why}` : ""}`]),
    ...told.plans.map((one) => [one.in_force ? "good" : "fair", one.in_force ? "planned there" : "not planned there",
      `${one.asset}: ${[one.words, one.trouble].filter(Boolean).join(" ") || planned(one)}`]),
  ];
  at("came").hidden = !lines.length;
  keep(at("came-list"), lines, (line) => line.join(" "),
    ([shade, fate, text]) => html("li", {}, html("span", { class: "chip", "data-tone": shade }, fate), " ", text), () => {});
}

const refused = new Refused(at("refused"), at("drop"), SYNC, () => admin, () => look());

async function look() {
  clearTimeout(timer);
  const answer = await ask("GET", SYNC);
  if (answer.status === 401) return location.replace("/");
  state(answer.ok ? "live" : "lost");
  if (answer.ok) draw(answer.content);
  timer = setTimeout(look, EVERY_MS);
}

at("veto-switch").addEventListener("click", async () => {
  const answer = await ask("POST", `${SYNC}/veto`, { on: !vetoed });
  complain(at("veto-error"), answer.message);
  look();
});

at("unlink-cancel").addEventListener("click", () => at("unlink").close());
at("unlink-go").addEventListener("click", async () => {
  const there = at("unlink-there").checked;
  at("unlink-go").disabled = true;
  let answer;
  do {
    answer = await ask("DELETE", `${CENTRES}/${at("unlink").centre}?delete_there=${there}`);
    if (answer.ok && answer.content.wait_s) await pause(answer.content.wait_s);
  } while (answer.ok && answer.content.left);
  at("unlink-go").disabled = false;
  complain(at("unlink-error"), answer.message);
  if (answer.ok) {
    at("unlink").close();
    look();
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") look();
  else clearTimeout(timer);
});

const session = await ask("GET", "/api/session");
const user = session.content?.user;
admin = Boolean(session.content?.owner || user?.roles?.includes("admin"));
at("join").hidden = !admin;
if (admin) new Joining(at("join"), CENTRES, look);
look();
