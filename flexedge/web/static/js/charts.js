// Prices, powers and states of charge over one axis of time, with now in the middle of it all.
import { html, keep, mark, say } from "./elements.js";
import { clock, date, day, DASH, kw, missing, moment, money, title } from "./format.js";
import { byKind, kind } from "./kinds.js";
import { clear, shaded, veil } from "./paint.js";

const HOUR = 3600;
const dark = matchMedia("(prefers-color-scheme: dark)");
const NEAR = [-8 * HOUR, 20 * HOUR];

// Adds the end of the last step, so that it is drawn as wide as the others.
const closed = (values) => [...values, values.at(-1) ?? null];

export class Charts {
  constructor(container) {
    this.container = container;
    this.data = null;
    this.site = null;
    this.span = "near";
    this.plots = new Map();
    new ResizeObserver(() => this.#resize()).observe(container);
    dark.addEventListener("change", () => this.#redo());
    for (const button of document.querySelectorAll("[data-span]")) {
      button.addEventListener("click", () => this.#choose(button.dataset.span));
    }
  }

  status(status) {
    const first = !this.site;
    const before = this.site && new Date(this.site.now) / 1000;
    this.site = status;
    this.now = new Date(status.now) / 1000;
    if (!this.data) return;
    const types = status.assets.map((asset) => `${asset.name} ${asset.type}`).join();
    if (first || types !== this.types) {
      this.types = types;
      this.#draw();
    } else if (Math.abs(this.now - before) > 0 && this.#pixel() < Math.abs(this.now - (this.drawn ?? 0))) {
      this.#move();
    }
    this.#readouts();
  }

  chart(chart) {
    this.data = chart;
    this.times = chart.times.map((time) => new Date(time) / 1000);
    if (this.times.length) this.times.push(this.times.at(-1) + chart.resolution_s);
    if (this.site) this.#draw();
  }

  #choose(span) {
    this.span = span;
    for (const button of document.querySelectorAll("[data-span]")) {
      mark(button, "aria-pressed", String(button.dataset.span === span));
    }
    this.#move();
  }

  range() {
    const [first, last] = [this.times[0], this.times.at(-1)];
    if (this.span === "near") return [Math.max(first, this.now + NEAR[0]), Math.min(last, this.now + NEAR[1])];
    if (this.span === "today") {
      const today = date(this.now * 1000, this.site.timezone);
      const inside = this.times.filter((time) => date(time * 1000, this.site.timezone) === today);
      if (inside.length > 1) return [inside[0], Math.min(last, inside.at(-1) + this.data.resolution_s)];
    }
    return [first, last];
  }

  #pixel() {
    const [first, last] = this.range();
    return (last - first) / Math.max(this.container.clientWidth, 1);
  }

  #move() {
    if (!this.data?.times.length || !this.site) return;
    this.drawn = this.now;
    const [min, max] = this.range();
    for (const { plot } of this.plots.values()) plot.setScale("x", { min, max });
    this.#readouts();
  }

  #redo() {
    for (const { plot } of this.plots.values()) plot.destroy();
    this.plots.clear();
    this.container.replaceChildren();
    this.container.known?.clear();
    if (this.data && this.site) this.#draw();
  }

  #resize() {
    const width = this.container.clientWidth;
    for (const { plot } of this.plots.values()) {
      if (width && plot.width !== width) plot.setSize({ width, height: plot.height });
    }
  }

  // Every lane there is something to show in.
  #lanes() {
    const { data, site } = this;
    const types = new Map(site.assets.map((asset) => [asset.name, asset.type]));
    const known = (line) => [...line.measured, ...line.planned].some((value) => value !== null);
    const kindOf = (line) => kind(types.get(line.name.split(".")[0]));
    const powers = byKind(data.powers.filter(known), kindOf).map((line) => ({ line, kind: kindOf(line) }));
    const grid = known(data.grid) ? [{ line: data.grid, kind: "grid" }] : [];
    const lanes = [{ key: "price", title: "Price of energy", kind: "price", draw: priceLane }];
    for (const { line, kind: name } of [...grid, ...powers]) {
      lanes.push({ key: `power ${line.name}`, title: name === "grid" ? "Grid" : title(line.name.split(".")[0]), kind: name, line, draw: powerLane });
    }
    const socs = data.socs.filter(known).map((line) => ({ line, kind: kindOf(line), full: fullOf(site, line) }));
    if (socs.length) lanes.push({ key: "soc", title: "State of charge", kind: "soc", lines: socs, draw: socLane });
    return lanes;
  }

  #draw() {
    if (!this.times.length) return;
    this.drawn = this.now;
    const days = this.times.map((time) => date(time * 1000, this.site.timezone));
    this.midnights = this.times.filter((_, index) => index && days[index] !== days[index - 1]);
    const lanes = this.#lanes();
    for (const [key, { plot }] of this.plots) {
      if (!lanes.some((lane) => lane.key === key)) {
        plot.destroy();
        this.plots.delete(key);
      }
    }
    keep(this.container, lanes, (lane) => lane.key,
      (lane) => html("figure", { class: "lane", "data-kind": lane.kind },
        html("figcaption", {}, html("b", {}, lane.title), html("span", { class: "readout" })),
        html("div", { class: "plot", role: "img" })),
      (element, lane) => this.#drawLane(element, lane, lane === lanes.at(-1)));
    this.#readouts();
  }

  #drawLane(element, lane, last) {
    const holder = element.querySelector(".plot");
    const drawing = lane.draw(this, lane);
    const old = this.plots.get(lane.key);
    const shape = `${drawing.series.length} ${last}`;
    mark(holder, "aria-label", `${lane.title}. ${drawing.summary}`);
    if (old && old.shape === shape) {
      old.lane = lane;
      old.drawing = drawing;
      old.plot.setData([this.times, ...drawing.values], false);
      old.plot.setScale("x", { min: this.range()[0], max: this.range()[1] });
      return;
    }
    old?.plot.destroy();
    const entry = { lane, drawing, shape, readout: element.querySelector(".readout") };
    entry.plot = new uPlot(this.#options(entry, holder, last), [this.times, ...drawing.values], holder);
    this.plots.set(lane.key, entry);
    touch(entry.plot);
  }

  #options(entry, holder, last) {
    const style = getComputedStyle(document.body);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { drawing } = entry;
    const axis = { stroke: colour("--muted"), font: "12px system-ui, sans-serif", ticks: { show: false } };
    const [min, max] = this.range();
    return {
      width: holder.clientWidth || this.container.clientWidth,
      height: drawing.height + (last ? 26 : 0),
      padding: [6, 6, last ? 0 : 6, 0],
      legend: { show: false },
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), this.site.timezone),
      cursor: { sync: { key: "time" }, y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: true, min, max }, y: { range: (_, low, high) => entry.drawing.range(low, high) } },
      axes: [
        {
          ...axis, show: true, size: last ? 26 : 0, grid: { stroke: colour("--line"), width: 1 }, space: 64,
          values: (plot, splits) => splits.map((time) => (last ? this.#tick(time) : "")),
        },
        { ...axis, size: 46, gap: 6, space: 26, splits: drawing.splits, grid: { stroke: colour("--line"), width: 1 }, values: (_, splits) => splits.map(drawing.tick) },
      ],
      series: [{}, ...drawing.series],
      hooks: {
        drawClear: [(plot) => clear(plot, this.now, colour)],
        draw: [(plot) => veil(plot, this.now, this.midnights, colour)],
        setCursor: [(plot) => this.#readout(entry, plot.cursor.idx)],
      },
    };
  }

  #tick(time) {
    const text = clock(time * 1000, this.site.timezone);
    return text === "00:00" ? day(time * 1000, this.site.timezone).split(",")[0] : text;
  }

  #readouts() {
    for (const entry of this.plots.values()) this.#readout(entry, entry.plot.cursor.idx);
  }

  // What the pointer shows, or else now.
  #readout(entry, pointed) {
    const last = this.times.length - 2;
    const hovering = pointed !== null && pointed !== undefined && entry.plot.cursor.left >= 0;
    let index = hovering ? Math.min(pointed, last) : this.times.findLastIndex((time) => time <= this.now);
    index = Math.min(Math.max(index, 0), last);
    const when = hovering ? `${moment(this.times[index] * 1000, this.now * 1000, this.site.timezone)}  ` : "";
    say(entry.readout, when + (hovering ? entry.drawing.read(index) : entry.drawing.live(index, this.site)));
    entry.readout.classList.toggle("pointed", hovering);
  }
}

function fullOf(site, line) {
  const asset = site.assets.find((one) => one.name === line.name.split(".")[0]);
  if (line.unit === "%") return 100;
  return asset && asset.soc_max_kwh ? asset.soc_max_kwh : null;
}

function touch(plot) {
  const point = (event) => {
    if (event.pointerType === "mouse") return;
    const box = plot.over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
  };
  for (const name of ["pointerdown", "pointermove"]) plot.over.addEventListener(name, point);
}

const stepped = (...rest) => uPlot.paths.stepped({ align: 1 })(...rest);
const colourOf = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();

function priceLane(charts) {
  const { data, site } = charts;
  const prices = data.import_price;
  const feed = data.feed_in_price;
  const known = prices.map((price, index) => [price, index]).filter(([price]) => !missing(price));
  const [low, high] = known.length ? [Math.min(...known.map(([price]) => price)), Math.max(...known.map(([price]) => price))] : [0, 0];
  const shade = shaded(low, high, [colourOf("cheap"), colourOf("middling"), colourOf("dear")]);
  const when = (price) => moment(charts.times[known.find(([value]) => value === price)[1]] * 1000, charts.now * 1000, site.timezone);
  const bars = uPlot.paths.bars({
    size: [1, Infinity], align: 1, gap: charts.container.clientWidth < 600 ? 0 : 1,
    disp: { fill: { unit: 3, values: (plot) => plot.data[1].map(shade) } },
  });
  return {
    height: 128,
    // the last bar would stick out of the time there are prices for
    values: [[...prices, null], closed(feed)],
    series: [
      { paths: bars, width: 0, fill: colourOf("middling"), points: { show: false } },
      { paths: stepped, stroke: colourOf("ink"), width: 1.5, dash: [2, 3], points: { show: false } },
    ],
    range: (min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 0.01) * 1.06],
    tick: (value) => money(value, data.currency),
    read: (index) => `${money(prices[index], data.currency, 3)} buying · ${money(feed[index], data.currency, 3)} selling`,
    live: (index, now) => `${money(now.import_price ?? prices[index], data.currency, 3)} buying · ${money(now.feed_in_price ?? feed[index], data.currency, 3)} selling now`,
    summary: known.length
      ? `From ${money(low, data.currency, 3)} (${when(low)}) to ${money(high, data.currency, 3)} (${when(high)}) per kWh.`
      : "No prices known.",
  };
}

function powerLane(_charts, lane) {
  const colour = colourOf(lane.kind);
  const { measured, planned } = lane.line;
  const show = (value) => (missing(value) ? DASH : kw(value));
  const peak = Math.max(0, ...[...measured, ...planned].filter((value) => value !== null).map(Math.abs));
  const past = measured.map((value, index) => (value === null ? planned[index] : null));
  return {
    height: 84,
    values: [closed(measured), closed(planned), closed(past)],
    series: [
      { paths: stepped, stroke: colour, fill: `${colour}40`, width: 1.75, points: { show: false } },
      { paths: stepped, stroke: colour, width: 1.25, dash: [4, 3], points: { show: false } },
      { paths: stepped, fill: `${colour}1c`, width: 0, points: { show: false } },
    ],
    range: (min, max) => around(min, max),
    tick: (value) => String(Number(value.toFixed(2))).replace("-", "−"),
    read: (index) => `${show(measured[index])} measured · ${show(planned[index])} planned`,
    live: (index, now) => `${show(powerNow(now, lane))} now · ${show(planned[index])} planned`,
    splits: (_plot, _axis, min, max) => ticks(min, max),
    summary: `At most ${kw(peak)}.`,
  };
}

function powerNow(site, lane) {
  if (lane.kind === "grid") return site.grid_kw;
  return site.assets.find((asset) => asset.name === lane.line.name.split(".")[0])?.power_kw;
}

// Zero, and one round number on each side that reaches far enough to need it.
function ticks(min, max) {
  const reach = Math.max(-min, max) * 0.95;
  const ten = 10 ** Math.floor(Math.log10(reach));
  const step = ten * [5, 2, 1].find((factor) => factor * ten <= reach);
  const double = 2 * step <= reach ? [2 * step] : [];
  return [...double.map((tick) => -tick), -step, 0, step, ...double].filter((tick) => tick >= min && tick <= max);
}

// Always with zero in it, and never so close that noise looks like weather.
function around(min, max) {
  const low = Math.min(0, min ?? 0);
  const high = Math.max(0, max ?? 0);
  const size = Math.max(high - low, 0.5);
  return [low < 0 ? low - size * 0.08 : 0, high > 0 || low === 0 ? Math.max(high, size + low) + size * 0.08 : size * 0.08];
}

function socLane(_charts, lane) {
  const percent = lane.lines.every((line) => line.full);
  const scaled = (values, full) => values.map((value) => (value === null || !percent ? value : (100 * value) / full));
  const unit = percent ? "%" : lane.lines[0].line.unit;
  const show = (value) => (missing(value) ? DASH : `${Math.round(value)} ${unit}`);
  const lines = lane.lines.map(({ line, kind: name, full }) => ({
    name: title(line.name.split(".")[0]),
    colour: colourOf(name),
    measured: scaled(line.measured, full),
    planned: scaled(line.planned, full),
  }));
  return {
    height: 150,
    values: lines.flatMap((line) => [[...line.measured, null], [...line.planned, null]]),
    series: lines.flatMap((line) => [
      { stroke: line.colour, width: 2, points: { show: false } },
      { stroke: line.colour, width: 1.5, dash: [4, 3], points: { show: false } },
    ]),
    range: (min, max) => (percent ? [0, 104] : around(min, max)),
    tick: (value) => `${value} ${unit}`,
    read: (index) => lines.map((line) => `${line.name} ${show(line.measured[index] ?? line.planned[index])}`).join(" · "),
    live: (index) => lines.map((line) => `${line.name} ${show(line.measured[index] ?? line.planned[index])}`).join(" · "),
    summary: lines.map((line) => line.name).join(", "),
  };
}
