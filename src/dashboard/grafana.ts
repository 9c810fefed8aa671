/** The part of Grafana's classic dashboard model that kmeter writes, and how its parts are made. */

import {
  BAR_GAUGE_OPTIONS,
  HEATMAP_OPTIONS,
  STAT_OPTIONS,
  TIMESERIES_OPTIONS,
} from "./panel_options.ts";

/** Old enough for many a Grafana: newer ones migrate it. */
export const SCHEMA_VERSION = 39;

const GRID_WIDTH = 24;
const PANEL_HEIGHT = 8;

interface DataSourceRef {
  readonly type: "prometheus";
  readonly uid: string;
}

/** The data source that the dashboard's variable names. */
export const DATA_SOURCE: DataSourceRef = { type: "prometheus", uid: "${DS_PROMETHEUS}" };

/** One query of a panel. */
export interface Target {
  readonly refId: string;
  readonly datasource: DataSourceRef;
  readonly editorMode: "code";
  readonly expr: string;
  readonly legendFormat: string;
  readonly format: "time_series" | "heatmap";
  readonly instant: boolean;
  readonly range: boolean;
}

/** Type-specific settings of a panel and of its fields. */
interface Settings {
  readonly [key: string]: unknown;
}

/** A panel before it has its place. */
export interface PanelDraft {
  readonly type: "timeseries" | "stat" | "bargauge" | "heatmap" | "row";
  readonly title: string;
  readonly description?: string;
  /** Columns of 24. */
  readonly width: number;
  readonly targets: readonly Target[];
  readonly fieldConfig?: { readonly defaults: Settings; readonly overrides: readonly [] };
  readonly options?: Settings;
}

/** A panel in its place. */
export interface Panel extends Omit<PanelDraft, "width"> {
  readonly id: number;
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly datasource?: DataSourceRef;
  readonly collapsed?: boolean;
  readonly panels?: readonly [];
}

/** A choice at the top of a dashboard. */
export interface Variable extends Settings {
  readonly type: "datasource" | "query" | "custom";
  readonly name: string;
}

/** A dashboard as `Import` and provisioning take it. */
export interface Dashboard {
  readonly id: null;
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly version: number;
  readonly editable: boolean;
  readonly graphTooltip: 1;
  readonly refresh: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly timezone: string;
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly [] };
  readonly links: readonly [];
  readonly panels: readonly Panel[];
}

/** What a query asks, how its series are called, and how it is asked. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** Once for the dashboard's whole range, not for each point in time. */
  readonly isInstant?: boolean;
  readonly isHeatmap?: boolean;
}

/** What all panels have. */
export interface PanelFacts {
  readonly title: string;
  readonly description?: string;
  /** Unit id of Grafana. */
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly width: number;
}

/** Lines over time, with a table of their means and maxima below. */
export function timeseries(facts: PanelFacts): PanelDraft {
  const defaults = { custom: { axisSoftMin: 0, fillOpacity: 10, showPoints: "never" } };
  return panel("timeseries", facts, { defaults, options: TIMESERIES_OPTIONS });
}

/** One number, with its course behind it. It turns red from `redFrom` on. */
export function stat(facts: PanelFacts, { redFrom }: { redFrom?: number } = {}): PanelDraft {
  const red = redFrom === undefined ? [] : [{ color: "red", value: redFrom }];
  const steps = [{ color: "green", value: null }, ...red];
  const defaults = { thresholds: { mode: "absolute", steps } };
  return panel("stat", facts, { defaults, options: STAT_OPTIONS });
}

/** A bar for each series. */
export function barGauge(facts: PanelFacts): PanelDraft {
  return panel("bargauge", facts, { defaults: { min: 0 }, options: BAR_GAUGE_OPTIONS });
}

/** Buckets over time: the colour says how many fell into each. */
export function heatmap(facts: PanelFacts): PanelDraft {
  const yAxis = { ...HEATMAP_OPTIONS.yAxis, unit: facts.unit };
  return panel("heatmap", facts, { defaults: {}, options: { ...HEATMAP_OPTIONS, yAxis } });
}

/** A headline over the panels that follow. */
export function row(title: string): PanelDraft {
  return { type: "row", title, width: GRID_WIDTH, targets: [] };
}

function panel(
  type: PanelDraft["type"],
  { title, description, unit, queries, width }: PanelFacts,
  { defaults, options }: { defaults: Settings; options: Settings },
): PanelDraft {
  return {
    type,
    title,
    ...(description !== undefined && description !== "" && { description }),
    width,
    targets: queries.map(target),
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
    options,
  };
}

function target(
  { expr, legend, isInstant = false, isHeatmap = false }: Query,
  index: number,
): Target {
  return {
    refId: String.fromCharCode("A".charCodeAt(0) + index),
    datasource: DATA_SOURCE,
    editorMode: "code",
    expr,
    legendFormat: legend,
    format: isHeatmap ? "heatmap" : "time_series",
    instant: isInstant,
    range: !isInstant,
  };
}

/** Gives panels ids and places: from left to right, in a new line where there is no room. */
export function place(drafts: readonly PanelDraft[]): Panel[] {
  let x = 0;
  let y = 0;
  let height = 0;
  return drafts.map(({ width, ...draft }, index) => {
    if (x + width > GRID_WIDTH) {
      x = 0;
      y += height;
    }
    height = draft.type === "row" ? 1 : PANEL_HEIGHT;
    const gridPos = { h: height, w: width, x, y };
    x += width;
    return {
      id: index + 1,
      ...draft,
      gridPos,
      ...(draft.type === "row" ? { collapsed: false, panels: [] } : { datasource: DATA_SOURCE }),
    };
  });
}
