/** Options of each type of panel, where they are not Grafana's defaults or must be there. */

const LATEST = { calcs: ["lastNotNull"], fields: "", values: false } as const;

export const TIMESERIES_OPTIONS = {
  legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["mean", "max"] },
  tooltip: { mode: "multi", sort: "desc" },
} as const;

export const STAT_OPTIONS = {
  reduceOptions: LATEST,
  colorMode: "value",
  graphMode: "area",
  justifyMode: "auto",
  orientation: "auto",
  textMode: "auto",
  wideLayout: true,
  showPercentChange: false,
  percentChangeColorMode: "standard",
} as const;

export const BAR_GAUGE_OPTIONS = {
  reduceOptions: LATEST,
  orientation: "horizontal",
  displayMode: "gradient",
  valueMode: "color",
  namePlacement: "auto",
  showUnfilled: true,
  sizing: "auto",
  minVizHeight: 16,
  maxVizHeight: 300,
  minVizWidth: 8,
  legend: { showLegend: false, displayMode: "list", placement: "bottom", calcs: [] },
} as const;

export const HEATMAP_OPTIONS = {
  // The buckets are there already.
  calculate: false,
  cellGap: 1,
  color: {
    mode: "scheme",
    scheme: "Oranges",
    fill: "dark-orange",
    exponent: 0.5,
    steps: 64,
    reverse: false,
  },
  exemplars: { color: "rgba(255,0,255,0.7)" },
  filterValues: { le: 1e-9 },
  legend: { show: true },
  rowsFrame: { layout: "auto" },
  showValue: "never",
  tooltip: { mode: "single", showColorScale: false, yHistogram: true },
  yAxis: { axisPlacement: "left", reverse: false },
} as const;
