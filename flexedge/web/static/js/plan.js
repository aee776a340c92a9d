// Where the orders come from and why they are what they are.
import { html, keep, mark, say } from "./elements.js";
import { ago, DASH, kw, missing, moment, money } from "./format.js";

const at = (id) => document.getElementById(id);
const CENTRAL = "central-plan"; // a rung of its own only where a centre plans something
const RUNGS = [
  [CENTRAL, "Central plan", "good"],
  ["fresh-plan", "Fresh plan", "good"],
  ["last-plan", "Last plan", "fair"],
  ["local-rule", "Local rule", "fair"],
  ["released", "Released", "poor"],
];

function drawLadder(rung) {
  const [, name, tone] = RUNGS.find(([key]) => key === rung) ?? RUNGS.at(-1);
  say(at("rung"), name);
  mark(at("rung"), "data-tone", tone);
  const rungs = RUNGS.filter(([key]) => key !== CENTRAL || key === rung);
  const current = rungs.findIndex(([key]) => key === rung);
  keep(
    at("ladder"),
    rungs.map(([key, text], index) => ({ key, text, index })),
    (step) => step.key,
    (step) => html("li", {}, step.text),
    (element, step) => {
      mark(element, "data-state", step.index === current ? "here" : step.index < current ? "missed" : "below");
      mark(element, "aria-current", step.index === current ? "step" : null);
    },
  );
}

function figures(status) {
  const { plan, currency } = status;
  const perKwh = (price) => (missing(price) ? DASH : money(price, currency, 3));
  const now = new Date(status.now);
  return [
    { name: "Buying costs", value: perKwh(status.import_price), unit: "per kWh" },
    { name: "Selling earns", value: perKwh(status.feed_in_price), unit: "per kWh" },
    {
      name: "Expected cost",
      value: money(plan.cost, currency),
      unit: plan.valid_until ? `plan holds until ${moment(new Date(plan.valid_until), now, status.timezone)}` : "no plan",
    },
    {
      name: "Grid connection",
      value: kw(status.grid_kw),
      unit: missing(status.grid_limit_kw) ? "no limit set" : `of ${kw(status.grid_limit_kw)}`,
      share: missing(status.grid_kw) || missing(status.grid_limit_kw) ? null : Math.abs(status.grid_kw) / status.grid_limit_kw,
    },
  ];
}

function drawFigure(element, figure) {
  say(element.children[1], figure.value);
  say(element.children[2], figure.unit);
  const meter = element.querySelector("meter");
  meter.hidden = figure.share === null || figure.share === undefined;
  meter.value = Math.min(figure.share ?? 0, 1);
}

export function drawPlan(status) {
  const { plan } = status;
  drawLadder(plan.rung);
  const sentences = plan.explanation.length
    ? plan.explanation
    : [plan.made_at ? "The plan gives no reasons." : "There is no plan yet; it comes with the first readings and prices."];
  keep(
    at("why"),
    sentences.map((text, index) => ({ text, index })),
    (sentence) => sentence.index,
    () => html("p"),
    (element, sentence) => say(element, sentence.text),
  );
  keep(
    at("figures"),
    figures(status),
    (figure) => figure.name,
    (figure) =>
      html("div", {}, html("dt", {}, figure.name), html("dd", { class: "value" }), html("dd", { class: "unit" }),
        html("dd", { class: "share" }, html("meter", { min: 0, max: 1, high: 0.85, "aria-label": "Share of the grid connection in use" }))),
    drawFigure,
  );
  const made = plan.made_at ? ago((new Date(status.now) - new Date(plan.made_at)) / 1000) : null;
  const parts = [
    plan.status && plan.status.charAt(0).toUpperCase() + plan.status.slice(1),
    made && `made ${made}`,
    !missing(plan.seconds) && `in ${plan.seconds.toFixed(2)} s`,
    plan.count > 0 && `${plan.count} plans so far`,
    plan.infeasible > 0 && `${plan.infeasible} impossible`,
  ];
  say(at("plan-note"), parts.filter(Boolean).join(" · "));
}
