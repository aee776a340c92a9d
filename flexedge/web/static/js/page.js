// The site's page: takes live events and hands them to the parts that draw them.
import { Charts } from "./charts.js";
import { drawAssets, drawDevices } from "./cards.js";
import { drawStanding } from "./standing.js";
import { html, mark, say } from "./elements.js";
import { Flow } from "./flow.js";
import { clock, clockSeconds } from "./format.js";
import { handle, post } from "./forms.js";
import { follow } from "./live.js";
import { drawPlan } from "./plan.js";

const at = (id) => document.getElementById(id);
const flow = new Flow(at("flow"));
const charts = new Charts(at("charts"));
const WORDS = { connecting: "Connecting", live: "Live", lost: "Connection lost" };
let newest = null;
let alarmsShown = "";

function drawHead(status) {
  const now = new Date(status.now);
  say(at("site"), status.site);
  say(at("clock"), clockSeconds(now, status.timezone));
  at("clock").dateTime = status.now;
  at("speed").hidden = status.speed === 1;
  say(at("speed"), `${status.speed}× speed`);
  say(at("version"), `flexedge ${status.version}`);
  if (document.title !== `${status.site} · flexedge`) document.title = `${status.site} · flexedge`;
}

function drawAlarms(alarms) {
  const shown = JSON.stringify(alarms);
  if (shown === alarmsShown) return;
  alarmsShown = shown;
  at("alarms").hidden = !alarms.length;
  at("alarms").replaceChildren(...alarms.map((text) => html("p", { class: "banner alarm" }, text)));
}

function drawState(state) {
  const lost = state === "lost";
  mark(at("link"), "data-state", state);
  say(at("link").lastElementChild, WORDS[state]);
  at("lost").hidden = !lost;
  document.body.classList.toggle("old", lost);
  if (lost) {
    const since = newest ? ` These values are from ${clock(new Date(newest.now), newest.timezone)}.` : "";
    say(at("lost"), `The gateway does not answer; trying again.${since}`);
  }
}

const draw = {
  status(status) {
    newest = status;
    drawHead(status);
    drawAlarms(status.alarms);
    flow.draw(status);
    drawPlan(status);
    drawAssets(at("assets"), status);
    drawDevices(at("devices"), at("devices-note"), status);
    drawStanding(at("centres"), at("centre-none"), at("centre-more"), status.centres);
    charts.status(status);
    at("main").removeAttribute("aria-busy");
  },
  chart: (chart) => charts.chart(chart),
};

follow("/api/events", {
  onEvent: (name, value) => draw[name](value),
  onState: drawState,
  onStranger: () => location.replace("/"),
});

const menu = at("menu");
document.addEventListener("click", (event) => {
  if (menu.open && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
at("logout").addEventListener("click", async () => {
  await post("/api/logout");
  location.replace("/");
});

const dialog = at("password-dialog");
const close = () => {
  dialog.querySelector("form").reset();
  dialog.close();
};
at("password-open").addEventListener("click", () => {
  menu.open = false;
  dialog.showModal();
});
at("password-cancel").addEventListener("click", close);
handle(dialog.querySelector("form"), close);
at("claim-link").addEventListener("click", () => location.assign("/claim"));

const session = await fetch("/api/session").then((answer) => answer.json()).catch(() => null);
if (session && !session.claimed) {
  at("claim-link").hidden = false;
  at("password-open").hidden = true;
}
