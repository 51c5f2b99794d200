/** Small drawings: how a signal was in the last day, and how far into its usual silence a device is. */

const NAMESPACE = "http://www.w3.org/2000/svg";
const DAY = 86_400;
const WEAKEST = -125;
const STRONGEST = -50;
const WIDTH = 72;
const HEIGHT = 24;
const GAP = 3 * 3600;

/** Return an empty drawing for `drawSignals`. */
export function signalGraph() {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("class", "graph");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.append(document.createElementNS(NAMESPACE, "path"));
  return svg;
}

/**
 * Draw the RSSI of points (seconds since 1970, dBm, dB); all drawings have the same scale.
 *
 * The line is broken where there is nothing for long, seen from the usual interval in seconds.
 */
export function drawSignals(svg, points, interval, now = Date.now() / 1000) {
  const gap = Math.max(GAP, 2.5 * (interval ?? 0));
  let path = "";
  let before;
  for (const [at, rssi] of points) {
    if (rssi == null) continue;
    const x = (WIDTH * (at - now + DAY)) / DAY;
    const share = (rssi - WEAKEST) / (STRONGEST - WEAKEST);
    const y = HEIGHT - 1 - (HEIGHT - 2) * Math.min(1, Math.max(0, share));
    const together = before !== undefined && at - before < gap;
    // A point alone is drawn as a short dash.
    path += `${together ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}${together ? "" : "h1"}`;
    before = at;
  }
  svg.firstChild.setAttribute("d", path);
}

/** Return an empty bar for `drawRhythm`. */
export function rhythmBar() {
  const bar = document.createElement("div");
  bar.className = "rhythm";
  bar.append(document.createElement("i"), document.createElement("b"));
  return bar;
}

/** Show a silence against the usual interval and that after which the device is overdue. */
export function drawRhythm(bar, { last_seen, interval, overdue_after }, now = Date.now() / 1000) {
  const whole = overdue_after ?? (interval && 3 * interval);
  bar.hidden = !whole || last_seen == null;
  if (bar.hidden) return;
  const silent = Math.max(0, now - last_seen);
  const [filled, tick] = bar.children;
  filled.style.width = `${Math.min(100, (100 * silent) / whole)}%`;
  bar.dataset.state =
    overdue_after && silent > overdue_after ? "bad" : silent > 1.5 * (interval ?? whole) ? "late" : "";
  tick.hidden = !interval || interval >= whole;
  tick.style.left = `${(100 * (interval ?? 0)) / whole}%`;
}

export const graphStyle = `
.graph { width: ${WIDTH}px; height: ${HEIGHT}px; flex: none; }
.graph path {
  fill: none;
  stroke: var(--primary-color);
  stroke-width: 1.5;
  vector-effect: non-scaling-stroke;
}
.rhythm {
  position: relative;
  height: 4px;
  border-radius: 2px;
  background: var(--divider-color);
  overflow: hidden;
}
.rhythm i { position: absolute; inset: 0 auto 0 0; background: var(--success-color, #43a047); }
.rhythm b { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--primary-text-color); opacity: 0.6; }
.rhythm[data-state="late"] i { background: var(--warning-color, #ffa600); }
.rhythm[data-state="bad"] i { background: var(--error-color, #db4437); }
`;
