// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** A data source: its facts, a table of its counters and gauges, heat maps of its histograms. */

import { sparkline } from "./charts.js";
import { breakable, element, list, setText } from "./dom.js";
import { heatMapGroup } from "./heat_maps.js";
import { rateText, valueText, visibleText } from "./numbers.js";
import { latest, ratesOf } from "./overview.js";
import { eventsKey, lostKey, numbersOf, seriesKey, sumOf } from "./remember.js";

/** @import { View } from "./dom.js" */
/** @import { Look } from "./history.js" */
/** @import { StatusDataSource, StatusMetric, StatusSeries } from "../src/export/status.ts" */

/** @typedef {{ readonly run: string, readonly source: StatusDataSource, readonly look: Look }} ShownSource */

/** A metric, and where its value stands among a series' values. @typedef {StatusMetric & { readonly index: number }} IndexedMetric */

/**
 * @param {ShownSource} first
 * @returns {View<ShownSource>}
 */
export function dataSourceView({ source: { name, metrics } }) {
  /** @type {IndexedMetric[]} */
  const indexed = metrics.map((metric, index) => ({ ...metric, index }));
  const isHistogram = (/** @type {StatusMetric} */ { type }) => type === "histogram";
  const scalars = indexed.filter((metric) => !isHistogram(metric));
  const facts = factList();
  /** @type {View<ShownSource>[]} */
  const parts = indexed.filter(isHistogram).map(heatMapGroup);
  if (scalars.length > 0) parts.push(seriesTable(scalars));
  const more = element("p", { class: "more" });
  const node = element("div", { class: "source" }, element("h3", {}, name), facts.node);
  node.append(...parts.map((part) => part.node), more);
  return {
    node,
    update(shown) {
      facts.update(shown);
      for (const part of parts) part.update(shown);
      const { series, seriesCount } = shown.source;
      more.hidden = seriesCount <= series.length;
      setText(more, `The ${series.length} highest of ${valueText(seriesCount)} series.`);
    },
  };
}

/** @returns {View<ShownSource>} */
function factList() {
  const events = fact("Events");
  const lost = fact("Lost");
  const series = fact("Series");
  const map = fact("Map");
  const line = sparkline();
  events.node.append(line.node);
  return {
    node: element("dl", { class: "facts" }, events.node, lost.node, series.node, map.node),
    update({ run, source, look }) {
      const { history } = look;
      const place = { run, source: source.name };
      const rates = ratesOf(history, eventsKey(place));
      events.update(latest(rates, rateText));
      events.node.hidden = source.map !== undefined;
      line.draw(rates, look);
      const total = sumOf(source.eventsLost);
      const losing = latest(
        ratesOf(history, lostKey(place)),
        (rate) => `, now ${rateText(rate)}`,
        "",
      );
      lost.update(total === 0 ? "none" : `${valueText(total)}${losing}`);
      lost.node.hidden = total === 0 && source.map !== undefined;
      lost.node.classList.toggle("bad", total > 0);
      const { seriesCount, seriesLimit } = source;
      series.node.hidden = seriesLimit === undefined;
      series.update(`${valueText(seriesCount)} of ${valueText(seriesLimit ?? 0)}`);
      map.node.hidden = source.map === undefined;
      if (source.map === undefined) return;
      const { entries, maxEntries, fetchDurationSeconds } = source.map;
      map.update(
        `${valueText(entries)} of ${valueText(maxEntries)}, read in ${
          valueText(fetchDurationSeconds, "s")
        }`,
      );
    },
  };
}

/** @param {string} name @returns {View<string>} */
function fact(name) {
  const value = element("dd");
  const node = element("div", {}, element("dt", {}, name), value);
  return { node, update: (text) => setText(value, text) };
}

/** Rows of a table until somebody wants more. */
const FEW_ROWS = 10;

/**
 * @param {readonly IndexedMetric[]} metrics
 * @returns {View<ShownSource>}
 */
function seriesTable(metrics) {
  const head = element("tr");
  const body = element("tbody");
  const table = element("table", {}, element("thead", {}, head), body);
  const scroll = { class: "scroll", role: "region", "aria-label": "Series", tabindex: "0" };
  const button = element("button", { type: "button" });
  const node = element("div", {}, element("div", scroll, table), button);
  const showRows = list(body, {
    key: (/** @type {ShownRow} */ { series }) => series.id,
    make: (first) => seriesRow(first, metrics),
  });
  let showsAll = false;
  /** @type {ShownSource | undefined} */
  let latestShown;
  const update = (/** @type {ShownSource} */ shown) => {
    latestShown = shown;
    const { series, labelNames } = shown.source;
    if (head.childElementCount === 0) head.append(...headCells(labelNames, metrics));
    showRows(
      series.slice(0, showsAll ? undefined : FEW_ROWS).map((series) => ({ ...shown, series })),
    );
    button.hidden = series.length <= FEW_ROWS;
    setText(button, showsAll ? "Show fewer" : `Show ${series.length - FEW_ROWS} more`);
  };
  button.addEventListener("click", () => {
    showsAll = !showsAll;
    if (latestShown !== undefined) update(latestShown);
  });
  return { node, update };
}

/**
 * @param {readonly string[]} labelNames
 * @param {readonly IndexedMetric[]} metrics
 */
function headCells(labelNames, metrics) {
  const labels = labelNames.length === 0 ? ["series"] : labelNames;
  return [
    ...labels.map((label) => element("th", { scope: "col" }, label)),
    ...metrics.map(({ name, help }) =>
      element("th", { scope: "col", class: "number", title: help }, ...breakable(name))
    ),
  ];
}

/** @typedef {ShownSource & { readonly series: StatusSeries }} ShownRow */

/**
 * @param {ShownRow} first
 * @param {readonly IndexedMetric[]} metrics
 * @returns {View<ShownRow>}
 */
function seriesRow({ source, series }, metrics) {
  const labels = labelTexts(source, series).map((text, i) =>
    i === 0
      ? element("th", { scope: "row", title: text }, text)
      : element("td", { class: "label", title: text }, text)
  );
  const cells = metrics.map((metric) => valueCell(metric));
  return {
    node: element("tr", {}, ...labels, ...cells.map(({ node }) => node)),
    update(shown) {
      for (const cell of cells) cell.update(shown);
    },
  };
}

/**
 * Texts of a series' labels, none of which is empty.
 * @param {StatusDataSource} source
 * @param {StatusSeries} series
 * @returns {string[]}
 */
function labelTexts({ labelNames }, { labels }) {
  if (labels.otel_metric_overflow === "true") {
    return ["all over the limit", ...labelNames.slice(1).map(() => "–")];
  }
  if (labelNames.length === 0) return ["all"];
  return labelNames.map((name) => labels[name] === "" ? "–" : visibleText(labels[name]));
}

/**
 * @param {IndexedMetric} metric
 * @returns {View<ShownRow>}
 */
function valueCell({ name: metric, type, unit, index }) {
  const main = element("span", { class: "main" });
  const aside = element("span", { class: "aside" });
  const line = sparkline();
  const cell = element("div", { class: "cell" }, line.node, element("div", {}, main, aside));
  const node = element("td", { class: "number" }, cell);
  return {
    node,
    update({ run, source, series, look }) {
      const { history } = look;
      const key = seriesKey({ run, source: source.name }, { metric, series });
      const [value] = numbersOf(series.values[index]);
      if (type === "gauge") {
        setText(main, valueText(value, unit));
        line.draw(history.points(key).map(({ at, value: [v] }) => ({ at, value: v })), look);
        return;
      }
      const rates = ratesOf(history, key);
      setText(main, latest(rates, (rate) => rateText(rate, unit)));
      setText(aside, valueText(value, unit));
      main.classList.toggle("idle", !rates.at(-1)?.value);
      line.draw(rates, look);
    },
  };
}
