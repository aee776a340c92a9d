// Numbers, money and times as people read them. Missing is a dash, never 0.

export const DASH = "–";
const LANGUAGE = "en-GB";
const MINUS = "−";

function number(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? MINUS : "") + text;
}

export const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export function kw(value, { sign = true } = {}) {
  if (missing(value)) return `${DASH} kW`;
  const shown = sign ? value : Math.abs(value);
  return `${number(shown, Math.abs(value) < 9.995 ? 2 : 1)} kW`;
}

export function kwh(value) {
  return missing(value) ? DASH : number(value, Math.abs(value) < 100 ? 1 : 0);
}

export function quantity(value, unit) {
  if (missing(value)) return DASH;
  const size = Math.abs(value);
  const digits = Number.isInteger(value) ? 0 : size < 10 ? 2 : size < 1000 ? 1 : 0;
  return `${number(value, digits)}${unit ? ` ${unit === "degC" ? "°C" : unit}` : ""}`;
}

export function money(value, currency, digits = 2) {
  if (missing(value)) return DASH;
  try {
    return new Intl.NumberFormat(LANGUAGE, {
      style: "currency",
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(value).replace("-", MINUS);
  } catch {
    return `${number(value, digits)} ${currency}`;
  }
}

export function seconds(value) {
  if (missing(value)) return DASH;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 90) return `${Math.round(value)} s`;
  if (value < 90 * 60) return `${Math.round(value / 60)} min`;
  if (value < 36 * 3600) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} days`;
}

export function ago(value) {
  if (missing(value)) return "never";
  return value < 1 ? "just now" : `${seconds(value)} ago`;
}

const formats = new Map();

function formatter(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone, hourCycle: "h23", ...options }));
  }
  return formats.get(key);
}

const HOUR_MINUTE = { hour: "2-digit", minute: "2-digit" };

export const clock = (time, zone) => formatter(zone, HOUR_MINUTE).format(time);
export const clockSeconds = (time, zone) => formatter(zone, { ...HOUR_MINUTE, second: "2-digit" }).format(time);
export const day = (time, zone) => formatter(zone, { weekday: "short", day: "numeric", month: "short" }).format(time);
export const date = (time, zone) => formatter(zone, { year: "numeric", month: "2-digit", day: "2-digit" }).format(time);

// A time of day, with its day where that is not today.
export function moment(time, now, zone) {
  const same = date(time, zone) === date(now, zone);
  return same ? clock(time, zone) : `${formatter(zone, { weekday: "short" }).format(time)} ${clock(time, zone)}`;
}

export function title(name) {
  const words = name.replace(/[-_.]/g, " ");
  const known = { ev: "EV", pv: "PV" };
  return words
    .split(" ")
    .map((word, index) => known[word] ?? (index ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(" ");
}
