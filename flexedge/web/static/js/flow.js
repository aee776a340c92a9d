// The power flow: everything on site around one hub, dots running where the power goes.
import { html, keep, mark, say, svg } from "./elements.js";
import { kw, missing, title } from "./format.js";
import { byKind, icon, IDLE_KW, kind, verb } from "./kinds.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const TURN = 2 * Math.PI;
const MOST_DOTS = 5;
const CROSSING_MS = 2600;

// Nodes of a status: the grid first, the rest in the order of their kinds.
function nodes(status) {
  const assets = byKind(status.assets, (asset) => kind(asset.type)).map((asset) => ({
    key: `asset ${asset.name}`,
    kind: kind(asset.type),
    title: title(asset.name),
    power: asset.power_kw,
    plugged: asset.plugged,
    share: missing(asset.soc_kwh) || !asset.soc_max_kwh ? null : asset.soc_kwh / asset.soc_max_kwh,
  }));
  return [{ key: "grid", kind: "grid", title: "Grid", power: status.grid_kw, plugged: null, share: null }, ...assets];
}

// What a node gives to the hub (positive) or takes from it.
const given = (node) => (missing(node.power) ? 0 : node.kind === "grid" ? node.power : -node.power);

function arc(radius, from, to) {
  const at = (share) => [radius * Math.sin(share * TURN), -radius * Math.cos(share * TURN)].map((x) => x.toFixed(2)).join(" ");
  if (to - from >= 0.9999) return `M${at(0)}A${radius} ${radius} 0 1 1 ${at(0.5)}A${radius} ${radius} 0 1 1 ${at(0)}`;
  return `M${at(from)}A${radius} ${radius} 0 ${to - from > 0.5 ? 1 : 0} 1 ${at(to)}`;
}

export class Flow {
  constructor(container) {
    this.container = container;
    this.status = null;
    this.size = null;
    this.canvas = null;
    new ResizeObserver(() => this.#measure()).observe(container);
    still.addEventListener("change", () => this.#rebuild());
  }

  draw(status) {
    this.status = status;
    if (!this.canvas) this.#build();
    const list = nodes(status);
    const keys = list.map((node) => node.key).join();
    if (keys !== this.keys) {
      this.keys = keys;
      this.#place(list);
    }
    this.places.forEach((place, index) => this.#update(place, list[index]));
    this.#hub(list);
    keep(this.words, list, (node) => node.key, () => html("li"), (element, node) =>
      say(element, `${node.title}: ${verb(node.kind, node.power, node.plugged)}, ${kw(node.power, { sign: false })}`));
  }

  #measure() {
    const width = Math.round(this.container.clientWidth);
    if (!width || (this.size && this.size.width === width)) return;
    this.size = null;
    this.#rebuild();
  }

  #rebuild() {
    this.keys = null;
    if (this.status) this.draw(this.status);
  }

  #build() {
    this.canvas = svg("svg", { "aria-hidden": "true", class: "flow-canvas" });
    this.words = html("ul", { class: "unseen", "aria-label": "Power flow" });
    this.container.replaceChildren(this.canvas, this.words);
  }

  // Puts the nodes on an ellipse, the grid at the left, or in two columns where that is too small
  // for so many, and draws everything that stays.
  #place(list) {
    const width = this.container.clientWidth || 600;
    const narrow = width < 520;
    const radius = narrow ? 27 : 34;
    const rows = Math.ceil(list.length / 2);
    const crowded = list.length > (narrow ? 7 : 10);
    const usual = narrow ? 430 : Math.min(460, Math.max(380, width * 0.66));
    const height = crowded ? rows * 2 * (radius + 36) + 4 : usual;
    this.size = { width, height, radius };
    mark(this.canvas, "viewBox", `0 0 ${width} ${height}`);
    mark(this.canvas, "height", height);
    mark(this.canvas, "data-narrow", narrow);
    const [cx, cy] = [width / 2, height / 2];
    const [rx, ry] = [cx - (narrow ? 54 : 78), cy - radius - (narrow ? 46 : 50)];
    this.hubRadius = narrow ? 46 : 56;
    this.places = list.map((node, index) => {
      const angle = Math.PI + (index * TURN) / list.length;
      const [x, y] = crowded
        ? [index < rows ? cx - rx : cx + rx, radius + 6 + (index % rows) * 2 * (radius + 36)]
        : [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
      return this.#node(node, x, y, { cx, cy, above: !crowded && y < cy - 20 });
    });
    this.hub = svg("g", { class: "hub", transform: `translate(${cx} ${cy})` },
      svg("circle", { r: this.hubRadius }), svg("g"),
      svg("text", { class: "value", y: 3 }), svg("text", { class: "label", y: 20 }, "in use"));
    this.canvas.replaceChildren(
      svg("g", {}, ...this.places.map((place) => place.edge)), this.hub,
      svg("g", {}, ...this.places.map((place) => place.group)));
  }

  #node(node, x, y, { cx, cy, above }) {
    const { radius } = this.size;
    const length = Math.hypot(cx - x, cy - y);
    const unit = [(cx - x) / length, (cy - y) / length];
    const start = [x + unit[0] * (radius + 4), y + unit[1] * (radius + 4)];
    const end = [cx - unit[0] * (this.hubRadius + 5), cy - unit[1] * (this.hubRadius + 5)];
    const dots = svg("g", { class: "dots" });
    const edge = svg("g", { class: "edge", "data-kind": node.kind },
      svg("line", { x1: start[0], y1: start[1], x2: end[0], y2: end[1] }), dots);
    const line = this.size.width < 520 ? 16 : 18;
    const top = radius + line + 4;
    const text = (name, row) => svg("text", { class: name, y: top + row * line });
    const words = [text("title", 0), text("value", 1), text("label", 2)];
    if (above) words.forEach((word, row) => mark(word, "y", -radius - 10 - (2 - row) * line));
    const scale = radius / 22;
    const group = svg("g", { class: "node", "data-kind": node.kind, transform: `translate(${x} ${y})` },
      svg("circle", { class: "disc", r: radius }),
      svg("path", { class: "charge" }),
      svg("g", { class: "icon", transform: `scale(${scale}) translate(-12 -12)` }, ...icon(node.kind).map((d) => svg("path", { d }))),
      ...words);
    return { group, edge, dots, words, start, end, charge: group.children[1], running: "" };
  }

  #update(place, node) {
    const [name, value, label] = place.words;
    say(name, node.title);
    say(value, kw(node.power, { sign: false }));
    const share = node.share === null ? "" : ` · ${Math.round(100 * node.share)} %`;
    say(label, verb(node.kind, node.power, node.plugged) + share);
    mark(place.charge, "d", node.share === null || node.share <= 0.004 ? null : arc(this.size.radius, 0, Math.min(node.share, 1)));
    const flow = given(node);
    mark(place.group, "data-idle", Math.abs(flow) <= IDLE_KW);
    mark(place.edge, "data-idle", Math.abs(flow) <= IDLE_KW);
    this.#run(place, flow);
  }

  // As many dots as the power asks for; their pace hardly changes, so that the eye can rest.
  #run(place, flow) {
    const size = Math.abs(flow);
    const count = size <= IDLE_KW ? 0 : Math.min(MOST_DOTS, 1 + Math.floor(Math.log2(1 + size * 1.5)));
    const running = `${count} ${Math.sign(flow)} ${still.matches}`;
    if (running === place.running) return;
    place.running = running;
    const [from, to] = flow > 0 ? [place.start, place.end] : [place.end, place.start];
    if (still.matches) {
      const angle = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 360) / TURN;
      const middle = `translate(${(from[0] + to[0]) / 2} ${(from[1] + to[1]) / 2}) rotate(${angle})`;
      place.dots.replaceChildren(...(count ? [svg("path", { class: "arrow", d: "M-5 -6 5 0-5 6Z", transform: middle })] : []));
      return;
    }
    const dots = Array.from({ length: count }, () => svg("circle", { r: 3 + count * 0.35 }));
    place.dots.replaceChildren(...dots);
    const point = ([x, y]) => `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    dots.forEach((dot, index) => {
      dot.animate(
        [
          { transform: point(from), opacity: 0 },
          { opacity: 1, offset: 0.15 },
          { opacity: 1, offset: 0.85 },
          { transform: point(to), opacity: 0 },
        ],
        { duration: CROSSING_MS, iterations: Infinity, iterationStart: index / count },
      );
    });
  }

  // The ring around the hub shows where the power comes from; the number what is used.
  #hub(list) {
    const users = list.filter((node) => ["house", "car", "heat", "process"].includes(node.kind));
    const unknown = !users.length || users.some((node) => missing(node.power));
    const used = unknown ? null : users.reduce((sum, node) => sum + Math.max(node.power, 0), 0);
    const sources = list.map((node) => ({ kind: node.kind, key: node.key, power: given(node) })).filter((node) => node.power > IDLE_KW);
    const total = sources.reduce((sum, node) => sum + node.power, 0);
    let from = 0;
    const parts = sources.map((node) => {
      const part = { ...node, from, to: from + node.power / total };
      from = part.to;
      return part;
    });
    const [, ring, value] = this.hub.children;
    keep(ring, parts, (part) => part.key, (part) => svg("path", { "data-kind": part.kind }), (element, part) => {
      const gap = parts.length > 1 ? 0.006 : 0;
      mark(element, "d", arc(this.hubRadius, part.from + gap, Math.max(part.to - gap, part.from + gap + 0.001)));
    });
    say(value, kw(used));
  }
}
