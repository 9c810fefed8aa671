/** Rows and metrics as text: columns, JSON, YAML, histograms. Pure: functions return strings. */

export { type ColumnsViewOptions, createColumnsView } from "./columns.ts";
export { displayWidth, escapeControls } from "./display_text.ts";
export { findField } from "./field_selection.ts";
export { type HistogramText, renderHistogram } from "./histogram.ts";
export { createObjectView, type ObjectViewOptions } from "./json.ts";
export { type MetricSetViewOptions, renderMetricSet } from "./metric_set_view.ts";
export { createRecordOrder, type RecordOrderOptions } from "./record_order.ts";
export {
  createRowView,
  ROW_VIEW_MODES,
  type RowView,
  type RowViewMode,
  type RowViewOptions,
} from "./row_view.ts";
