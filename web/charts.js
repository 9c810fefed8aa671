// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** Sparklines and heat maps. Their colour is that of the text around them. */

/** @import { Look, Rate } from "./history.js" */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 28;
/** Room for half a stroke. */
const MARGIN = 1.5;

/**
 * A line of the last minutes; the numbers beside it say what it shows.
 * @returns {{ node: SVGSVGElement, draw: (points: readonly { at: number, value: number }[], look: Look) => void }}
 */
export function sparkline() {
  const node = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  node.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  node.setAttribute("preserveAspectRatio", "none");
  node.setAttribute("class", "sparkline");
  node.setAttribute("aria-hidden", "true");
  node.append(line);
  return {
    node,
    draw(points, { now, spanSeconds }) {
      const finite = points.filter(({ value }) => Number.isFinite(value));
      const values = finite.map(({ value }) => value);
      const low = Math.min(0, ...values);
      const high = Math.max(0, ...values);
      const height = HEIGHT - 2 * MARGIN;
      const path = finite.map(({ at, value }, i) => {
        const x = WIDTH * Math.max(0, 1 - (now - at) / spanSeconds);
        const share = high === low ? 0 : (value - low) / (high - low);
        return `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${
          (HEIGHT - MARGIN - share * height).toFixed(1)
        }`;
      });
      line.setAttribute("d", path.join(""));
    },
  };
}

/** Height of a row, in CSS pixels. */
const ROW_PIXELS = 11;
/** Where anything was counted, it shows. */
const FAINTEST = 0.12;

/**
 * Draws counts over time: columns are the times between two looks, rows are buckets from below to above, and
 * the fuller the colour the faster a bucket counted.
 * @param {HTMLCanvasElement} canvas
 * @param {{ rates: readonly Rate<readonly number[]>[], first: number, last: number, look: Look }} picture buckets `first` to `last` are shown
 */
export function drawHeatMap(canvas, { rates, first, last, look: { now, spanSeconds } }) {
  const rows = last - first + 1;
  const width = canvas.clientWidth;
  const height = rows * ROW_PIXELS;
  const scale = globalThis.devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(scale, scale);
  context.fillStyle = getComputedStyle(canvas).color;
  const highest = Math.max(...rates.flatMap(({ value }) => value));
  const placeOf = (/** @type {number} */ at) => width * (1 - (now - at) / spanSeconds);
  for (const { from, to, value } of rates) {
    // Whole device pixels: else seams show between columns.
    const left = Math.round(Math.max(0, placeOf(from)) * scale) / scale;
    const right = Math.round(placeOf(to) * scale) / scale;
    for (let bucket = first; bucket <= last; bucket++) {
      if (!(value[bucket] > 0)) continue;
      context.globalAlpha = FAINTEST + (1 - FAINTEST) * Math.sqrt(value[bucket] / highest);
      context.fillRect(left, (last - bucket) * ROW_PIXELS, right - left, ROW_PIXELS - 1);
    }
  }
}
