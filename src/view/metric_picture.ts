/** All metrics of data sources as a picture for a terminal: for `metrics.print`. */

import {
  bucketCounts,
  type Column,
  type Instrument,
  type MetricSet,
  readWhole,
  scalarValue,
} from "../metrics/mod.ts";
import { alignTable } from "./align_table.ts";
import { escapeControls, type Segment, type Styles } from "../text/mod.ts";
import { drawHistogram, type HistogramText } from "./histogram.ts";
import { humanText, isHumanUnit } from "./human_units.ts";
import {
  busiest,
  busiestHistograms,
  hasIntegerValues,
  histogramColumn,
  labelCells,
  labelPairs,
  liveSeries,
  type Ranked,
  scalarText,
} from "./ranked_series.ts";
import { styledLine } from "./styled_line.ts";

/** More series than a terminal has lines for. */
const MAX_ITEMS = 200;
const MS_PER_S = 1000;
/** Over a shorter time, as between the last two pictures of a run, a rate tells nothing. */
const MIN_RATE_MS = 500;

export interface PictureSize {
  readonly maxLines: number;
  readonly widthColumns: number;
}

/** Metrics as they were at one moment, to be drawn in any size. */
export interface MetricPicture {
  /** No line has a line break, or is longer than the terminal is wide. */
  lines(size: PictureSize): string[];
}

/** A part of the picture: the busiest items come first, and as many as fit are drawn. */
interface Block {
  readonly items: number;
  /** Series that are not among the items. */
  readonly more: number;
  lines(items: number, widthColumns: number): Segment[][];
}

/** Takes pictures, and keeps what rates need of the last one. */
export class MetricCamera {
  readonly #styles: Styles;
  readonly #nowMs: () => number;
  #last: Readings = { timeMs: NaN, of: new Map() };
  #lastButOne: Readings = this.#last;

  constructor(styles: Styles, { nowMs }: { nowMs: () => number }) {
    this.#styles = styles;
    this.#nowMs = nowMs;
  }

  /** Cost: ranks all series by number, reads the first of them. */
  take(sets: readonly MetricSet[]): MetricPicture {
    const timeMs = this.#nowMs();
    const isSoon = timeMs - this.#last.timeMs < MIN_RATE_MS;
    const rates = new Rates(isSoon ? this.#lastButOne : this.#last, timeMs);
    const blocks = sets.flatMap((set) => blocksOf(set, rates));
    if (!isSoon) this.#lastButOne = this.#last;
    this.#last = rates.now;
    return { lines: (size) => fitBlocks(blocks, { ...size, styles: this.#styles }) };
  }
}

/** Value of a counter while its series had this generation. */
interface Reading {
  readonly generation: number;
  readonly value: number;
}

/** Of one picture. */
interface Readings {
  readonly timeMs: number;
  readonly of: Map<Instrument, Map<number, Reading>>;
}

class Rates {
  readonly now: Readings;
  readonly #before: Readings;

  constructor(before: Readings, timeMs: number) {
    this.now = { timeMs, of: new Map() };
    this.#before = before;
  }

  /** Growth per second since the earlier picture; "" if the series was not in it. */
  text(instrument: Instrument, series: number, reading: Reading): string {
    let readings = this.now.of.get(instrument);
    if (readings === undefined) this.now.of.set(instrument, readings = new Map());
    readings.set(series, reading);
    const last = this.#before.of.get(instrument)?.get(series);
    if (last === undefined || last.generation !== reading.generation) return "";
    const seconds = (this.now.timeMs - this.#before.timeMs) / MS_PER_S;
    return humanText((reading.value - last.value) / seconds, instrument.unit);
  }
}

function blocksOf(set: MetricSet, rates: Rates): Block[] {
  const live = liveSeries(set);
  const isHistogram = ({ type }: Instrument) => type === "histogram";
  const blocks = set.instruments.filter(isHistogram)
    .map((instrument) => histogramBlock(set, { instrument, live }));
  const scalars = set.instruments.filter((instrument) => !isHistogram(instrument));
  return scalars.length === 0 ? blocks : [...blocks, tableBlock(set, { scalars, live, rates })];
}

function histogramBlock(
  set: MetricSet,
  { instrument, live }: { instrument: Instrument; live: readonly number[] },
): Block {
  const column = histogramColumn(instrument);
  const ranked = busiestHistograms(column, live);
  const { name, unit } = instrument;
  const title: Segment[] = [["strong", escapeControls(name)]];
  if (unit !== "" && !isHumanUnit(unit)) title.push(` (${escapeControls(unit)})`);
  const histograms = readFirst(set, ranked, (series): HistogramText => ({
    title: name,
    unit,
    labels: labelPairs(set, series),
    upperBounds: column.upperBounds,
    counts: bucketCounts(column, series).slice(),
    isInteger: hasIntegerValues(column, series),
  }));
  return {
    items: histograms.length,
    more: ranked.length - histograms.length,
    lines: (items, widthColumns) =>
      items === 0 ? [[...title, ": no values yet"]] : [
        title,
        ...histograms.slice(0, items).flatMap((one) => drawHistogram(one, { widthColumns })),
      ],
  };
}

function tableBlock(
  set: MetricSet,
  { scalars, live, rates }: {
    scalars: readonly Instrument[];
    live: readonly number[];
    rates: Rates;
  },
): Block {
  const columns = scalars.map((instrument) => instrument.column());
  const ranked = busiest(live, (series) => Number(scalarValue(columns[0], series)));
  const rows = readFirst(set, ranked, (series) => [
    ...labelCells(set, series),
    ...scalars.flatMap((instrument, i) =>
      scalarCells(instrument, {
        column: columns[i],
        series,
        generation: set.generation(series),
        rates,
      })
    ),
  ]);
  const header = [
    ...set.labelNames.map((name) => name.toUpperCase()),
    ...scalars.flatMap(({ name, unit, type }) => {
      const label = name.toUpperCase() + (unit === "" || isHumanUnit(unit) ? "" : ` (${unit})`);
      return type === "counter" ? [label, "/s"] : [label];
    }),
  ];
  return {
    items: rows.length,
    more: ranked.length - rows.length,
    lines: (items, widthColumns) => {
      const shown = [header, ...rows.slice(0, items)];
      const [first, ...rest] = alignTable(shown, {
        leftCount: set.labelNames.length,
        widthColumns,
      });
      return [[["strong", first]], ...rest.map((line) => [line])];
    },
  };
}

interface Cell {
  readonly column: Column;
  readonly series: number;
  readonly generation: number;
  readonly rates: Rates;
}

/** The value, and for a counter its rate. */
function scalarCells(
  instrument: Instrument,
  { column, series, generation, rates }: Cell,
): string[] {
  const { unit, type } = instrument;
  const value = Number(scalarValue(column, series));
  const text = isHumanUnit(unit) ? humanText(value, unit) : scalarText(column, series);
  return type === "counter"
    ? [text, rates.text(instrument, series, { generation, value })]
    : [text];
}

function readFirst<T>(
  set: MetricSet,
  ranked: readonly Ranked[],
  read: (series: number) => T,
): T[] {
  return ranked.slice(0, MAX_ITEMS)
    .map(({ series }) => readWhole(set, series, () => read(series)))
    .filter((item) => item !== undefined);
}

/** One item of each block, then in turn one more of each as long as all fit. */
function fitBlocks(
  blocks: readonly Block[],
  { maxLines, widthColumns, styles }: PictureSize & { styles: Styles },
): string[] {
  const counts = blocks.map(({ items }) => Math.min(items, 1));
  const draw = () => drawBlocks(blocks, { counts, widthColumns, styles });
  let lines = draw();
  const growing = new Set(blocks.keys());
  while (growing.size > 0) {
    for (const i of growing) {
      if (counts[i] === blocks[i].items) {
        growing.delete(i);
        continue;
      }
      counts[i]++;
      const larger = draw();
      if (larger.length <= maxLines) {
        lines = larger;
        continue;
      }
      counts[i]--;
      growing.delete(i);
    }
  }
  return lines.slice(0, maxLines);
}

interface Drawing {
  readonly counts: readonly number[];
  readonly widthColumns: number;
  readonly styles: Styles;
}

function drawBlocks(
  blocks: readonly Block[],
  { counts, widthColumns, styles }: Drawing,
): string[] {
  return blocks.flatMap((block, i): Segment[][] => {
    const left = block.items - counts[i] + block.more;
    const lines = block.lines(counts[i], widthColumns);
    if (left > 0) lines.push([["faint", `… and ${left} more series`]]);
    return i === 0 ? lines : [[], ...lines];
  }).map((line) => styledLine(line, { width: widthColumns, styles }));
}
