// One central server: how things stand with it, what is to come, sensor by sensor.
import { html, keep, mark, say } from "./elements.js";
import { ago, DASH, seconds } from "./format.js";
import { tone, word } from "./standing.js";

const ROLES = { "": "measured", forecast: "forecast", schedule: "schedule", outcome: "outcome" };
const HEAD = ["Sensor", "What", "Newest here", "Newest there", "Behind", "To come"];
const since = (moment, now) => (moment === null ? DASH : ago((now - new Date(moment)) / 1000));

function until(moment, now) {
  const left = moment === null ? 0 : (new Date(moment) - now) / 1000;
  return left > 0 ? `in ${seconds(left)}` : "now";
}

export function makeCentre(centre, actions) {
  const error = html("p", { class: "error", role: "alert", hidden: "" });
  const button = (text, act) => {
    const made = html("button", { type: "button", class: "quiet", "aria-label": `${text}: ${centre.name}` }, text);
    made.addEventListener("click", () => act(made.closest("article").centre, error));
    return made;
  };
  return html("article", { class: "card one-centre", "aria-label": centre.name },
    html("div", { class: "head" },
      html("h2", {}, centre.name), html("span", { class: "chip" }), html("span", { class: "push" }),
      html("div", { class: "acts" }, button("Ask now", actions.now), button("Unlink", actions.unlink))),
    html("p", { class: "words" }),
    error,
    html("dl", { class: "facts" }),
    html("ul", { class: "notes troubles" }),
    html("details", { class: "lags" }, html("summary", {}),
      html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Sensors at ${centre.name}` },
        html("table", {}, html("thead", {}, html("tr", {}, ...HEAD.map((text) => html("th", { scope: "col" }, text)))),
          html("tbody")))));
}

function facts(centre, now) {
  const megabytes = centre.bytes_sent / 1e6;
  return [
    ["Server", centre.url],
    ["Account there", centre.account],
    ["As", centre.user || "a token"],
    ["Linked", since(centre.linked, now)],
    ["Answered", since(centre.last_contact, now)],
    ["Asked next", until(centre.next_try, now)],
    ["Values to come", String(centre.waiting)],
    ["Refused", String(centre.refused)],
    ["Sent since the start", `${megabytes < 0.1 ? megabytes.toFixed(3) : megabytes.toFixed(1)} MB in ${centre.requests} requests`],
  ];
}

export function updateCentre(element, centre, now, admin) {
  element.centre = centre;
  const find = (selector) => element.querySelector(selector);
  const short = { well: centre.well, reached: centre.contact === "in-touch" };
  say(find(".chip"), word(short));
  mark(find(".chip"), "data-tone", tone(short));
  say(find(".words"), centre.words);
  find(".acts").hidden = !admin;
  keep(find(".facts"), facts(centre, now), ([name]) => name,
    ([name]) => html("div", {}, html("dt", {}, name), html("dd")),
    (row, [, value]) => say(row.lastElementChild, value));
  keep(find(".troubles"), centre.duties.filter((duty) => duty.trouble), (duty) => duty.name,
    () => html("li", { class: "error" }),
    (item, duty) => say(item, `${duty.name}: ${duty.trouble}`));
  const waiting = centre.sensors.filter((lag) => lag.waiting || lag.paused).length;
  find(".lags").hidden = !centre.sensors.length;
  const every = centre.sensors.length === 1 ? "1 sensor" : `${centre.sensors.length} sensors`;
  say(find(".lags summary"), waiting ? `${waiting} of ${every} with values to come` : `${every}, nothing to come`);
  keep(find("tbody"), centre.sensors, (lag) => `${lag.sensor} ${lag.role}`,
    (lag) => html("tr", {}, html("th", { scope: "row" }, html("code", {}, lag.sensor)), ...HEAD.slice(1).map(() => html("td"))),
    (row, lag) => {
      const behind = lag.lag_s === null ? DASH : lag.lag_s > 0 ? seconds(lag.lag_s) : "in step";
      [ROLES[lag.role] ?? lag.role, since(lag.newest_here, now), since(lag.newest_there, now), lag.paused || behind, String(lag.waiting)]
        .forEach((text, index) => say(row.children[index + 1], text));
    });
}
