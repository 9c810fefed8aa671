/**
 * Series of one set whose labels came out alike, added up. Prometheus refuses a page that says one
 * series twice, and keys that differ may read the same: accounts of one name, long values that were
 * cut, bytes that a formatter does not look at.
 *
 * A sum must not go down when one of its series leaves, or Prometheus would take the rest for new. So
 * counters and histograms keep what a series had when it was seen last; gauges do not.
 */

import type { Column, Instrument, MetricSet } from "../metrics/mod.ts";
import { type ByteRun, byteRun } from "./_byte_writer.ts";
import type { SeriesLabels } from "./_family.ts";
import { protobufLabels } from "./_protobuf_labels.ts";

/** A series while it belongs to one key. */
export interface SeriesOwner {
  readonly series: number;
  readonly generation: number;
}

interface Member extends SeriesOwner {
  /** As they were read last. */
  cells: Cells;
  isLive: boolean;
}

interface Group {
  readonly run: ByteRun;
  readonly values: readonly string[];
  readonly labels: [name: string, value: string][];
  /** By series. */
  readonly members: Map<number, Member>;
  /** Sum of what members had that left. */
  readonly kept: Cells;
  /** When the last member left; Infinity while there are members. */
  emptySinceMs: number;
}

/**
 * A group without series is remembered for longer than a scrape may take: on a page under way, a series
 * of its labels must not stand beside the sum.
 */
const REMEMBER_MS = 5 * 60_000;

/** Labels of a group: ready, and in parts. */
export interface GroupLabels {
  readonly text: string;
  readonly values: readonly string[];
  readonly labels: [name: string, value: string][];
}

/** One row of integers and doubles over the same memory. */
class Cells {
  readonly integers: BigUint64Array<ArrayBuffer>;
  readonly floats: Float64Array<ArrayBuffer>;

  constructor(count: number) {
    this.integers = new BigUint64Array(count);
    this.floats = new Float64Array(this.integers.buffer);
  }
}

/** The groups of one set. */
export class MergedSeries {
  readonly #set: MetricSet;
  readonly #groups = new Map<string, Group>();

  constructor(set: MetricSet) {
    this.#set = set;
  }

  /** Puts a series into the group of its labels. @returns false if there is no such group. */
  join(text: string, owner: SeriesOwner): boolean {
    if (this.#groups.size === 0) return false;
    const group = this.#groups.get(text.toWellFormed());
    if (group !== undefined) this.#add(group, owner);
    return group !== undefined;
  }

  /** Makes a group of two series. Its sum is there after the next `settle`. */
  form({ text, values, labels }: GroupLabels, owners: readonly [SeriesOwner, SeriesOwner]): void {
    const kept = new Cells(rowOf(this.#set).cellCount);
    const group = { run: byteRun(text), values, labels, members: new Map(), kept, emptySinceMs: 0 };
    this.#groups.set(text.toWellFormed(), group);
    for (const owner of owners) this.#add(group, owner);
  }

  #add(group: Group, owner: SeriesOwner): void {
    const { members, kept } = group;
    group.emptySinceMs = Infinity;
    const former = members.get(owner.series);
    if (former?.generation === owner.generation) return;
    const row = rowOf(this.#set);
    if (former !== undefined) addCells(row, { from: former.cells, to: kept, gauges: false });
    members.set(owner.series, { ...owner, cells: new Cells(row.cellCount), isLive: false });
  }

  /**
   * Groups of which all series have gone to other keys begin anew, or are forgotten. To be called before
   * series join: those that an iterator tells anew must not be added to what it told before.
   */
  forgetDeparted(): void {
    const nowMs = performance.now();
    for (const [text, group] of this.#groups) {
      if ([...group.members.values()].some((member) => this.#isCurrent(member))) continue;
      group.members.clear();
      group.kept.integers.fill(0n);
      group.emptySinceMs = Math.min(group.emptySinceMs, nowMs);
      if (nowMs - group.emptySinceMs > REMEMBER_MS) this.#groups.delete(text);
    }
  }

  #isCurrent({ series, generation }: SeriesOwner): boolean {
    return this.#set.generation(series) === generation;
  }

  /** Reads all members and adds up. @returns the sums as a set that changes no more, if there are any. */
  settle(): MergedSet | undefined {
    this.forgetDeparted();
    if (this.#groups.size === 0) return undefined;
    const row = rowOf(this.#set);
    for (const { members, kept } of this.#groups.values()) {
      for (const member of members.values()) {
        if (this.#read(row, member)) continue;
        addCells(row, { from: member.cells, to: kept, gauges: false });
        members.delete(member.series);
      }
    }
    return new MergedSet(this.#set, row, [...this.#groups.values()]);
  }

  /** False if the series has gone to another key. */
  #read(row: Row, member: Member): boolean {
    const { series } = member;
    if (!this.#isCurrent(member)) return false;
    const cells = new Cells(row.cellCount);
    for (const { column, offset, cellCount } of row.parts) {
      const first = series * column.stride + column.offset;
      for (let cell = 0; cell < cellCount; cell++) {
        cells.integers[offset + cell] = column.cells[first + cell];
      }
    }
    const isLive = this.#set.isLive(series);
    if (!this.#isCurrent(member)) return false;
    member.cells = cells;
    member.isLive = isLive;
    return true;
  }
}

/** The sums as they were when they were made, and their labels. */
export class MergedSet implements MetricSet, SeriesLabels {
  readonly scope: string;
  readonly labelNames: readonly string[];
  readonly instruments: readonly Instrument[];
  readonly changes = 0;
  readonly builtCount = 0;
  readonly protobufLabels = {
    builtCount: 0,
    at: (series: number): ByteRun => protobufLabels(this.#groups[series].labels),
  };
  readonly #groups: readonly Group[];
  readonly #live: readonly boolean[];

  constructor(set: MetricSet, row: Row, groups: readonly Group[]) {
    this.scope = set.scope;
    this.labelNames = set.labelNames;
    this.#groups = groups;
    this.#live = groups.map(({ members }) => [...members.values()].some(({ isLive }) => isLive));
    const sums = new Cells(row.cellCount * groups.length);
    groups.forEach((group, index) => {
      const start = index * row.cellCount;
      addCells(row, { from: group.kept, to: sums, start, gauges: false });
      for (const { cells, isLive } of group.members.values()) {
        addCells(row, { from: cells, to: sums, start, gauges: isLive });
      }
    });
    const { integers: cells, floats } = sums;
    this.instruments = row.parts.map(({ instrument, column, offset }) => ({
      ...instrument,
      // Series have other numbers here.
      exemplar: undefined,
      column: () => ({ ...column, cells, floats, stride: row.cellCount, offset }),
    }));
  }

  get seriesCount(): number {
    return this.#groups.length;
  }

  isLive(series: number): boolean {
    return this.#live[series];
  }

  isOverflow(): boolean {
    return false;
  }

  labelValues(series: number): string[] {
    return [...this.#groups[series].values];
  }

  generation(): number {
    return 0;
  }

  at(series: number): ByteRun {
    return this.#groups[series].run;
  }

  labelsOf(series: number): [name: string, value: string][] {
    return this.#groups[series].labels;
  }

  /** Sums are not added up again. */
  settle(): undefined {}
}

/** Where the instruments' cells lie in a row of their own. */
interface Row {
  readonly parts: readonly RowPart[];
  readonly cellCount: number;
}

interface RowPart {
  readonly instrument: Instrument;
  readonly column: Column;
  readonly offset: number;
  readonly cellCount: number;
}

function rowOf(set: MetricSet): Row {
  let end = 0;
  const parts = set.instruments.map((instrument) => {
    const column = instrument.column();
    const cellCount = column.kind === "histogram" ? column.upperBounds.length + 2 : 1;
    const part = { instrument, column, offset: end, cellCount };
    end += cellCount;
    return part;
  });
  return { parts, cellCount: end };
}

function addCells(
  { parts }: Row,
  { from, to, start = 0, gauges }: { from: Cells; to: Cells; start?: number; gauges: boolean },
): void {
  for (const { instrument, column, offset, cellCount } of parts) {
    if (instrument.type === "gauge" && !gauges) continue;
    for (let cell = offset; cell < offset + cellCount; cell++) {
      const isSum = column.kind === "histogram" && cell === offset + cellCount - 1;
      if (column.kind === "float" || isSum) to.floats[start + cell] += from.floats[cell];
      else to.integers[start + cell] += from.integers[cell];
    }
  }
}
