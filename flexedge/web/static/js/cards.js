// Assets and devices: what they do, what they were told, how well they answer.
import { html, keep, mark, say, svg } from "./elements.js";
import { ago, DASH, kw, kwh, missing, quantity, title } from "./format.js";
import { byKind, icon, kind, typeTitle, verb } from "./kinds.js";

const STATES = { ok: "good", stale: "fair", lost: "poor", starting: "none" };
const STATE_WORDS = { ok: "Ok", stale: "Stale", lost: "Lost", starting: "Starting" };
const TONES = { applied: "good", clamped: "fair", refused: "poor", unreachable: "poor", released: "none" };

export function picture(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, ...icon(name).map((d) => svg("path", { d })));
}

export function outcome(control) {
  const told = kw(control.setpoint_kw);
  const words = {
    applied: control.verified ? `✓ ${told} verified` : `${told} sent`,
    clamped: `${told}, clamped${control.clamped_by.length ? ` by ${control.clamped_by.join(", ")}` : ""}`,
    refused: `Refused ${told}`,
    unreachable: "Unreachable",
    released: "Released",
  };
  return words[control.outcome] ?? control.outcome;
}

function drawOutcome(chip, note, control, now) {
  chip.hidden = !control;
  say(note, "");
  if (!control) return;
  say(chip, outcome(control));
  mark(chip, "data-tone", TONES[control.outcome]);
  const unsure = control.outcome === "clamped" && !control.verified ? "not verified" : "";
  const parts = [control.reason, unsure, ago((now - new Date(control.at)) / 1000)];
  say(note, parts.filter(Boolean).join(" · "));
}

function makeAsset(asset) {
  const name = kind(asset.type);
  return html("article", { class: "card tile", "data-kind": name, "aria-label": title(asset.name) },
    html("div", { class: "tile-head" }, picture(name),
      html("div", {}, html("h3", {}, title(asset.name)), html("p", { class: "note" }, typeTitle(asset.type) === title(asset.name) ? "" : typeTitle(asset.type)))),
    html("p", { class: "power" }, html("b"), html("span", { class: "note" })),
    html("p", { class: "planned note" }),
    html("div", { class: "soc" }, html("progress", { max: 1, "aria-label": "State of charge" }), html("span")),
    html("p", { class: "told" }, html("span", { class: "chip" }), html("span", { class: "note" })),
    html("p", { class: "because" }));
}

function drawAsset(element, asset, now) {
  const name = kind(asset.type);
  const find = (selector) => element.querySelector(selector);
  say(find(".power b"), kw(asset.power_kw, { sign: false }));
  say(find(".power span"), verb(name, asset.power_kw, asset.plugged));
  const age = missing(asset.age_s) || asset.age_s < 10 ? "" : `measured ${ago(asset.age_s)}`;
  const quality = asset.quality === "good" || asset.quality === "derived" ? "" : asset.quality;
  const doing = verb(name, asset.planned_kw, asset.plugged);
  const other = doing === verb(name, asset.power_kw, asset.plugged) ? "" : ` ${doing}`;
  const planned = missing(asset.planned_kw) ? "" : `planned ${kw(asset.planned_kw, { sign: false })}${other}`;
  say(find(".planned"), [planned, quality, age].filter(Boolean).join(" · "));
  const soc = find(".soc");
  const plugged = asset.plugged === null ? "" : asset.plugged ? "plugged in" : "not plugged in";
  const stores = !missing(asset.soc_max_kwh);
  soc.hidden = !stores && missing(asset.soc_kwh) && !plugged;
  const bar = soc.firstElementChild;
  bar.hidden = !stores || missing(asset.soc_kwh);
  if (!bar.hidden) bar.value = Math.min(Math.max(asset.soc_kwh / asset.soc_max_kwh, 0), 1);
  const held = missing(asset.soc_kwh) ? "charge not known" : stores
    ? `${Math.round((100 * asset.soc_kwh) / asset.soc_max_kwh)} % · ${kwh(asset.soc_kwh)} of ${kwh(asset.soc_max_kwh)} kWh`
    : `${kwh(asset.soc_kwh)} kWh`;
  say(soc.lastElementChild, [plugged, held].filter(Boolean).join(" · "));
  find(".told").hidden = !asset.control;
  drawOutcome(find(".told .chip"), find(".told .note"), asset.control, now);
  say(find(".because"), asset.why);
}

export function drawAssets(container, status) {
  const now = new Date(status.now);
  keep(container, byKind(status.assets, (asset) => kind(asset.type)), (asset) => asset.name, makeAsset,
    (element, asset) => drawAsset(element, asset, now));
}

function makeDevice(device) {
  const cell = (name) => html("span", { class: name });
  return html("details", { class: "device" },
    html("summary", {},
      html("span", { class: "state chip" }),
      html("span", { class: "who" }, html("b", {}, device.title), html("code", {}, device.name)),
      cell("answered"), cell("quality"), cell("orders")),
    html("p", { class: "trouble error", hidden: "" }),
    html("p", { class: "note polls" }),
    html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Points of ${device.title}` },
      html("table", {},
        html("thead", {}, html("tr", {}, ...["Point", "Value", "Quality", "Age"].map((text) => html("th", { scope: "col" }, text)))),
        html("tbody"))));
}

function qualities(points) {
  const counts = new Map();
  for (const point of points) counts.set(point.quality, (counts.get(point.quality) ?? 0) + 1);
  return [...counts].map(([quality, count]) => `${count} ${quality}`).join(" · ");
}

function drawPoint(row, point) {
  say(row.children[1], quantity(point.value, point.unit));
  say(row.children[2], point.quality);
  mark(row.children[2], "data-quality", point.quality);
  say(row.children[3], missing(point.age_s) ? DASH : ago(point.age_s));
}

function drawDevice(element, device, assets, now) {
  const find = (selector) => element.querySelector(selector);
  say(find(".state"), STATE_WORDS[device.state] ?? device.state);
  mark(find(".state"), "data-tone", STATES[device.state]);
  say(find(".answered"), missing(device.age_s) ? "never answered" : `answered ${ago(device.age_s)}`);
  const well = device.state === "ok" || !device.error;
  say(find(".quality"), well ? qualities(device.points) : device.error);
  find(".quality").classList.toggle("error", !well);
  const orders = assets.filter((asset) => asset.device === device.name && asset.control);
  keep(find(".orders"), orders, (asset) => asset.name,
    () => html("span", { class: "order" }, html("span", { class: "chip" }), html("span", { class: "note" })),
    (order, asset) => {
      drawOutcome(order.firstElementChild, order.lastElementChild, asset.control, now);
      say(order.lastElementChild, ago((now - new Date(asset.control.at)) / 1000));
      mark(order, "title", asset.control.reason || null);
    });
  const trouble = find(".trouble");
  trouble.hidden = !device.error;
  say(trouble, device.error ?? "");
  say(find(".polls"), `${device.polls} polls, ${device.failures} failed`);
  if (!element.open && element.filled) return;
  keep(find("tbody"), device.points, (point) => point.sensor,
    (point) => html("tr", {}, html("th", { scope: "row" }, html("code", {}, point.sensor)), html("td"), html("td"), html("td")),
    drawPoint);
  element.filled = true;
}

export function drawDevices(container, note, status) {
  const now = new Date(status.now);
  keep(container, status.devices, (device) => device.name, makeDevice,
    (element, device) => drawDevice(element, device, status.assets, now));
  const well = status.devices.filter((device) => device.state === "ok").length;
  say(note, status.devices.length ? `${well} of ${status.devices.length} answer` : "");
}
