/** Times, silences and numbers as the user's language writes them. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const formats = new Map();

/** What stands for a value that isn't known. */
export const NONE = "–";

/** Return a formatter of `Intl`, made once for each language and options. */
function format(kind, language, options) {
  const key = kind.name + language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new kind(language, options));
  return formats.get(key);
}

/** Return a number with this many decimals at most, and its unit. */
export function number(hass, value, decimals = 0, unit = "") {
  if (value == null) return NONE;
  const options = { maximumFractionDigits: decimals };
  return format(Intl.NumberFormat, hass.language, options).format(value) + (unit && ` ${unit}`);
}

/** Return a time (seconds since 1970) as distance from now: "5 minutes ago". */
export function ago(hass, seconds, now = Date.now() / 1000) {
  const [amount, unit] = inUnit(Math.max(0, now - seconds));
  const options = { numeric: "auto", style: "short" };
  return format(Intl.RelativeTimeFormat, hass.language, options).format(-amount, unit);
}

/** Return a time (seconds since 1970): the clock's for today, else with its date. */
export function moment(hass, seconds) {
  const date = new Date(seconds * 1000);
  const { time_format: clock, time_zone: zone } = hass.locale ?? {};
  const options = { hour: "numeric", minute: "2-digit" };
  if (clock === "12" || clock === "24") options.hour12 = clock === "12";
  if (zone === "server") options.timeZone = hass.config.time_zone;
  if (date.toDateString() !== new Date().toDateString())
    Object.assign(options, { day: "numeric", month: "short" });
  return format(Intl.DateTimeFormat, hass.language, options).format(date);
}

/** Return a silence in seconds in its largest unit: "12 min", "3 days". */
export function silence(hass, seconds) {
  const [amount, unit] = inUnit(seconds);
  const unitDisplay = unit === "day" ? "long" : "short";
  const options = { style: "unit", unit, unitDisplay, maximumFractionDigits: 0 };
  return format(Intl.NumberFormat, hass.language, options).format(amount);
}

function inUnit(seconds) {
  if (seconds < 1.5 * MINUTE) return [Math.round(seconds), "second"];
  if (seconds < 1.5 * HOUR) return [Math.round(seconds / MINUTE), "minute"];
  if (seconds < 1.5 * DAY) return [Math.round(seconds / HOUR), "hour"];
  return [Math.round(seconds / DAY), "day"];
}
