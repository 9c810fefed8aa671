// @ts-check
/** Which of the server's values the page remembers, and under which keys. */

/** @import { History } from "./history.js" */
/** @import { StatusDataSource, StatusDocument, StatusGadget, StatusHistogram, StatusNumber, StatusSeries } from "../src/export/status.ts" */

export const EVENTS_KEY = "events";
export const LOST_KEY = "lost";
export const CPU_KEY = "cpu";
export const MEMORY_KEY = "memory";

/** A data source of a gadget's run. @typedef {{ readonly run: string, readonly source: string }} Place */

/**
 * A gadget that was started anew is another one: its series have other keys, or count from zero.
 * @param {StatusGadget} gadget
 */
export function runOf({ name, startedSeconds }) {
  return JSON.stringify([name, startedSeconds]);
}

/** @param {Place} place */
export function eventsKey({ run, source }) {
  return JSON.stringify([run, source]);
}

/** @param {Place} place */
export function lostKey({ run, source }) {
  return JSON.stringify([run, source, "lost"]);
}

/** Of the run time of a gadget's programs. @param {string} run */
export function runTimeKey(run) {
  return JSON.stringify([run]);
}

/**
 * @param {Place} place
 * @param {{ readonly metric: string, readonly series: StatusSeries }} which
 */
export function seriesKey({ run, source }, { metric, series }) {
  return JSON.stringify([run, source, metric, series.id]);
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
  for (const gadget of gadgets) {
    const { programs, dataSources } = gadget;
    const run = runOf(gadget);
    const runTime = programs.reduce((sum, { runTimeSeconds = 0 }) => sum + runTimeSeconds, 0);
    history.addCounts(runTimeKey(run), at, [runTime]);
    for (const source of dataSources) rememberSource(history, at, { run, source });
  }
  history.forgetOld(at);
}

/**
 * @param {History} history
 * @param {number} at
 * @param {{ readonly run: string, readonly source: StatusDataSource }} which
 */
function rememberSource(history, at, { run, source }) {
  const place = { run, source: source.name };
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
