// @ts-check
/** Which of the server's values the page remembers, and under which keys. */

/** @import { History } from "./history.js" */
/** @import { StatusDataSource, StatusDocument, StatusHistogram, StatusNumber, StatusSeries } from "../src/export/status.ts" */

export const EVENTS_KEY = "events";
export const LOST_KEY = "lost";
export const CPU_KEY = "cpu";
export const MEMORY_KEY = "memory";

/** A data source of a gadget. @typedef {{ readonly gadget: string, readonly source: string }} Place */

/** @param {Place} place */
export function eventsKey({ gadget, source }) {
  return JSON.stringify([gadget, source]);
}

/** @param {Place} place */
export function lostKey({ gadget, source }) {
  return JSON.stringify([gadget, source, "lost"]);
}

/** Of the run time of a gadget's programs. @param {string} gadget */
export function runTimeKey(gadget) {
  return JSON.stringify([gadget]);
}

/**
 * @param {Place} place
 * @param {{ readonly metric: string, readonly series: StatusSeries }} which
 */
export function seriesKey({ gadget, source }, { metric, series }) {
  return JSON.stringify([gadget, source, metric, series.id]);
}

/**
 * @param {StatusNumber | StatusHistogram} value
 * @returns {readonly number[]} of a histogram its counts
 */
export function numbersOf(value) {
  if (typeof value === "object") return value.counts.map(Number);
  return [numberOf(value)];
}

/** @param {StatusNumber | undefined} value @returns {number} */
export function numberOf(value) {
  if (value === "+Inf") return Infinity;
  return value === "-Inf" ? -Infinity : Number(value);
}

/** @param {Readonly<Record<string, number>>} counts @returns {number} */
export function sumOf(counts) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Entries of a map are read again and again: they are no events. @param {StatusDataSource} source */
export function eventsOf({ map, eventsReceived }) {
  return map === undefined ? eventsReceived : 0;
}

/**
 * @param {History} history
 * @param {StatusDocument} status
 */
export function remember(history, { uptimeSeconds: at, process, gadgets }) {
  if (process.residentBytes !== undefined) history.add(MEMORY_KEY, at, [process.residentBytes]);
  if (process.cpuSeconds !== undefined) history.addCounts(CPU_KEY, at, [process.cpuSeconds]);
  const sources = gadgets.flatMap(({ dataSources }) => dataSources);
  history.addCounts(EVENTS_KEY, at, [sources.reduce((sum, source) => sum + eventsOf(source), 0)]);
  history.addCounts(LOST_KEY, at, [sources.reduce((sum, s) => sum + sumOf(s.eventsLost), 0)]);
  for (const { name, programs, dataSources } of gadgets) {
    const runTime = programs.reduce((sum, { runTimeSeconds = 0 }) => sum + runTimeSeconds, 0);
    history.addCounts(runTimeKey(name), at, [runTime]);
    for (const source of dataSources) rememberSource(history, at, { gadget: name, source });
  }
  history.forgetOld(at);
}

/**
 * @param {History} history
 * @param {number} at
 * @param {{ readonly gadget: string, readonly source: StatusDataSource }} which
 */
function rememberSource(history, at, { gadget, source }) {
  const place = { gadget, source: source.name };
  history.addCounts(eventsKey(place), at, [eventsOf(source)]);
  history.addCounts(lostKey(place), at, [sumOf(source.eventsLost)]);
  for (const series of source.series) {
    source.metrics.forEach(({ name: metric, type }, i) => {
      const key = seriesKey(place, { metric, series });
      const value = numbersOf(series.values[i]);
      if (type === "gauge") history.add(key, at, value);
      else history.addCounts(key, at, value);
    });
  }
}
