// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** The row of tiles: kmeter as a whole. */

import { sparkline } from "./charts.js";
import { element, list, setText } from "./dom.js";
import { durationText, rateText, valueText, visibleText } from "./numbers.js";
import {
  CPU_KEY,
  EVENTS_KEY,
  eventsOf,
  LOST_KEY,
  MEMORY_KEY,
  numberOf,
  sumOf,
} from "./remember.js";

/** @import { View } from "./dom.js" */
/** @import { History, Look } from "./history.js" */
/** @import { StatusDocument } from "../src/export/status.ts" */

/**
 * @typedef {object} Tile
 * @property {string} name
 * @property {string} value
 * @property {string} detail
 * @property {boolean} [isBad]
 * @property {readonly { at: number, value: number }[]} [line]
 * @property {Look} look
 */

/**
 * @param {Element} parent
 * @returns {(status: StatusDocument, look: Look) => void}
 */
export function overview(parent) {
  const show = list(parent, { key: (/** @type {Tile} */ { name }) => name, make: tile });
  return (status, look) => show(tilesOf(status, look));
}

/** @returns {View<Tile>} */
function tile() {
  const name = element("dt");
  const value = element("dd", { class: "value" });
  const detail = element("dd", { class: "detail" });
  const line = sparkline();
  const lineRow = element("dd", { class: "line" });
  lineRow.append(line.node);
  const node = element("div", { class: "tile" }, name, value, detail, lineRow);
  return {
    node,
    update(tile) {
      setText(name, tile.name);
      setText(value, tile.value);
      setText(detail, tile.detail);
      node.classList.toggle("bad", tile.isBad === true);
      lineRow.hidden = tile.line === undefined;
      line.draw(tile.line ?? [], tile.look);
    },
  };
}

/**
 * @param {StatusDocument} status
 * @param {Look} look
 * @returns {Tile[]}
 */
function tilesOf({ gadgets, process, seriesPlaces, uptimeSeconds }, look) {
  const { history } = look;
  const sources = gadgets.flatMap(({ dataSources }) => dataSources);
  const up = gadgets.filter(({ isUp }) => isUp).length;
  const down = gadgets.filter(({ isUp }) => !isUp).map(({ name }) => name);
  const lost = sources.reduce((sum, { eventsLost }) => sum + sumOf(eventsLost), 0);
  const received = sources.reduce((sum, source) => sum + eventsOf(source), 0);
  const events = ratesOf(history, EVENTS_KEY);
  const losses = ratesOf(history, LOST_KEY);
  const cpu = ratesOf(history, CPU_KEY);
  const { residentBytes, cpuSeconds, openFds, maxFds } = process;
  return [
    {
      name: "Gadgets",
      value: `${up} of ${gadgets.length} run`,
      detail: down.length === 0 ? "none is down" : `down: ${visibleText(down.join(", "))}`,
      isBad: down.length > 0,
      look,
    },
    ...(sources.every(({ map }) => map !== undefined) ? [] : [{
      name: "Events",
      value: latest(events, rateText),
      detail: `${valueText(received)} since the start`,
      line: events,
      look,
    }]),
    {
      name: "Lost events",
      value: lost === 0 ? "none" : valueText(lost),
      detail: lost === 0 ? "all are counted" : latest(losses, (rate) => `now ${rateText(rate)}`),
      isBad: lost > 0,
      ...(lost > 0 && { line: losses }),
      look,
    },
    ...(seriesPlaces === undefined ? [] : [{
      name: "Series",
      value: valueText(seriesPlaces.taken),
      detail: `of at most ${valueText(seriesPlaces.limit)}`,
      isBad: seriesPlaces.taken >= seriesPlaces.limit,
      look,
    }]),
    ...(residentBytes === undefined ? [] : [{
      name: "Memory",
      value: valueText(residentBytes, "By"),
      detail: openFds === undefined
        ? "resident"
        : `${openFds} of ${valueText(numberOf(maxFds))} descriptors`,
      line: history.points(MEMORY_KEY).map(({ at, value: [value] }) => ({ at, value })),
      look,
    }]),
    ...(cpuSeconds === undefined ? [] : [{
      name: "CPU",
      value: latest(cpu, (share) => `${valueText(100 * share)} %`),
      detail: `of one CPU, ${durationText(cpuSeconds)} in all`,
      line: cpu,
      look,
    }]),
    { name: "Runs for", value: durationText(uptimeSeconds), detail: "", look },
  ];
}

/**
 * Growth per second of one counter.
 * @param {History} history
 * @param {string} key
 * @returns {{ at: number, value: number }[]}
 */
export function ratesOf(history, key) {
  return history.rates(key).map(({ to: at, value: [value] }) => ({ at, value }));
}

/** Stands where a rate will: that needs two looks. */
export const COLLECTING = "collecting…";

/**
 * @param {readonly { value: number }[]} points
 * @param {(value: number) => string} text
 * @param {string} none what to say without points
 * @returns {string}
 */
export function latest(points, text, none = COLLECTING) {
  const last = points.at(-1);
  return last === undefined ? none : text(last.value);
}
