// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** Histograms as heat maps: time from left to right, buckets from below to above. */

import { drawHeatMap } from "./charts.js";
import { element, list, setText } from "./dom.js";
import { durationText, rateText, valueText, visibleText } from "./numbers.js";
import { COLLECTING } from "./overview.js";
import { numbersOf, seriesKey } from "./remember.js";

/** @import { IndexedMetric, ShownRow, ShownSource } from "./data_source.js" */
/** @import { View } from "./dom.js" */

/** More would be a wall. */
const MAX_SHOWN = 6;
const QUANTILES = [0.5, 0.9, 0.99];

/**
 * The heat maps of one metric.
 * @param {IndexedMetric} metric
 * @returns {View<ShownSource>}
 */
export function heatMapGroup(metric) {
  const maps = element("div", { class: "heat-maps" });
  const title = element("h4", {}, metric.name);
  const node = element("div", {}, title, element("p", { class: "help" }, metric.help), maps);
  const show = list(maps, {
    key: (/** @type {ShownRow} */ { series }) => series.id,
    make: (first) => heatMap(first, metric),
  });
  return {
    node,
    update(shown) {
      show(shown.source.series.slice(0, MAX_SHOWN).map((series) => ({ ...shown, series })));
    },
  };
}

/**
 * @param {ShownRow} first
 * @param {IndexedMetric} metric
 * @returns {View<ShownRow>}
 */
function heatMap({ series }, { name, unit, index, bounds = [] }) {
  const labels = visibleText(labelText(series.labels));
  const rate = element("span", { class: "main" });
  const facts = element("p", { class: "quantiles" });
  const canvas = element("canvas", { role: "img" });
  const axis = element("div", { class: "axis", "aria-hidden": "true" });
  const start = element("span");
  const times = element("div", { class: "times", "aria-hidden": "true" });
  times.append(start, element("span", {}, "now"));
  const caption = element("figcaption", {}, element("strong", {}, labels), rate);
  const plot = element("div", { class: "plot" }, axis, canvas, times);
  const node = element("figure", {}, caption, facts, plot);
  return {
    node,
    update({ run, source, series, look }) {
      const { history } = look;
      const key = seriesKey({ run, source: source.name }, { metric: name, series });
      const rates = history.rates(key);
      const counts = numbersOf(series.values[index]);
      const last = rates.at(-1)?.value.reduce((sum, value) => sum + value, 0);
      setText(rate, last === undefined ? COLLECTING : rateText(last));
      const recent = growth(history.points(key)) ?? counts;
      setText(facts, quantileText(recent, { bounds, unit }));
      const shown = shownBuckets(counts);
      canvas.setAttribute("aria-label", `${name} of ${labels}: ${facts.textContent}`);
      drawAxis(axis, { ...shown, bounds, unit });
      drawHeatMap(canvas, { rates, ...shown, look });
      setText(start, last === undefined ? COLLECTING : `${durationText(look.spanSeconds)} ago`);
    },
  };
}

/** @param {Readonly<Record<string, string>>} labels */
function labelText(labels) {
  const values = Object.values(labels);
  return values.length === 0
    ? "all"
    : values.map((value) => value === "" ? "–" : value).join(" · ");
}

/**
 * What a histogram counted while the page looked; undefined if that was nothing.
 * @param {readonly { readonly value: readonly number[] }[]} points
 * @returns {number[] | undefined}
 */
function growth(points) {
  const first = points[0]?.value;
  const grown = points.at(-1)?.value.map((count, i) => count - first[i]);
  return grown?.some((count) => count > 0) ? grown : undefined;
}

/**
 * @param {readonly number[]} counts
 * @param {{ readonly bounds: readonly number[], readonly unit: string }} buckets
 */
function quantileText(counts, { bounds, unit }) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return "no values yet";
  return QUANTILES.map((quantile) => {
    let rank = quantile * total;
    const bucket = counts.findIndex((count) => (rank -= count) <= 0);
    const bound = bounds[bucket] ?? bounds.at(-1);
    const sign = bucket < bounds.length ? "≤" : ">";
    return `p${100 * quantile} ${sign} ${valueText(bound ?? NaN, unit)}`;
  }).join("  ");
}

/** From the first to the last that counted. @param {readonly number[]} counts */
function shownBuckets(counts) {
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return first < 0 ? { first: 0, last: 0 } : { first, last };
}

/** As many as there is room for. */
const MAX_TICKS = 5;

/**
 * Upper bounds of the buckets, from above to below.
 * @param {HTMLElement} axis
 * @param {{ readonly first: number, readonly last: number, readonly bounds: readonly number[], readonly unit: string }} buckets
 */
function drawAxis(axis, { first, last, bounds, unit }) {
  const rows = last - first + 1;
  const step = Math.ceil(rows / MAX_TICKS);
  const ticks = [];
  for (let bucket = last; bucket >= first; bucket -= step) {
    const text = bucket < bounds.length ? valueText(bounds[bucket], unit) : "more";
    ticks.push({ text, share: (last - bucket) / rows });
  }
  const texts = JSON.stringify([rows, ticks]);
  if (axis.dataset.ticks === texts) return;
  axis.dataset.ticks = texts;
  axis.replaceChildren(...ticks.map(({ text, share }) => {
    const tick = element("span", {}, text);
    tick.style.top = `${100 * share}%`;
    return tick;
  }));
}
