// What an asset's type looks like and what it is said to do.

const ICONS = {
  grid: ["M8 21 12 3l4 18", "M5 8h14", "M6.5 13h11", "M9.3 15.5 15 21", "M14.7 15.5 9 21"],
  solar: ["M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z", "M12 2.5v2.2M12 19.3v2.2M2.5 12h2.2M19.3 12h2.2M5.3 5.3l1.5 1.5M17.2 17.2l1.5 1.5M5.3 18.7l1.5-1.5M17.2 6.8l1.5-1.5"],
  house: ["M3.5 11.5 12 4l8.5 7.5", "M6 10v9.5h12V10", "M10 19.5v-5.5h4v5.5"],
  battery: ["M7 6.5h10a1.5 1.5 0 0 1 1.5 1.5v11a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 19V8A1.5 1.5 0 0 1 7 6.5Z", "M10 6.5v-3h4v3", "m12.7 9.5-2.7 4.3h4l-2.7 4"],
  car: ["M4 16.5v-3.5l2-5.2A2 2 0 0 1 7.9 6.5h8.2A2 2 0 0 1 18 7.8l2 5.2v3.5Z", "M4.5 12.5h15", "M5.5 16.5v2M18.5 16.5v2", "M7.5 14.5h.1M16.5 14.5h.1"],
  heat: ["M10 13.5V5a2 2 0 1 1 4 0v8.5a4 4 0 1 1-4 0Z", "M12 9v8", "M17.5 5.5h2M17.5 9.5h2"],
  process: ["M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z", "M12 3.5v3M12 17.5v3M3.5 12h3M17.5 12h3M6 6l2.1 2.1M15.9 15.9 18 18M6 18l2.1-2.1M15.9 8.1 18 6"],
};

const KINDS = {
  battery: "battery",
  solar: "solar",
  "one-way_evse": "car",
  "two-way_evse": "car",
  "heat-storage": "heat",
  building: "house",
  process: "process",
};

const VERBS = {
  grid: ["buying", "selling", "in balance"],
  battery: ["charging", "discharging", "resting"],
  solar: ["drawing", "producing", "no sun"],
  car: ["charging", "giving back", "not charging"],
  heat: ["heating", "giving back", "off"],
  house: ["using", "giving back", "using nothing"],
  process: ["running", "giving back", "off"],
};

const TYPES = {
  battery: "Battery",
  solar: "Solar",
  "one-way_evse": "EV charger",
  "two-way_evse": "EV charger, both ways",
  "heat-storage": "Heat storage",
  building: "Building",
  process: "Process",
  converter: "Converter",
};

export const ORDER = ["grid", "solar", "house", "battery", "car", "heat", "process"];
export const IDLE_KW = 0.02;

export const kind = (type) => KINDS[type] ?? "process";
export const icon = (name) => ICONS[name] ?? ICONS.process;
export const typeTitle = (type) => TYPES[type] ?? type;

export function verb(name, powerKw, plugged = null) {
  if (powerKw === null || powerKw === undefined) return "not known";
  const [drawing, giving, idle] = VERBS[name] ?? VERBS.process;
  if (powerKw > IDLE_KW) return drawing;
  if (powerKw < -IDLE_KW) return giving;
  if (name === "car" && plugged === false) return "away";
  return idle;
}

export function byKind(items, kindOf) {
  const rank = (item) => ORDER.indexOf(kindOf(item));
  return [...items].sort((one, other) => rank(one) - rank(other));
}
