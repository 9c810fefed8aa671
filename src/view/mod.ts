/** Rows and metrics as text: columns, JSON, YAML, histograms. Pure: functions return strings. */

export { type ColumnsViewOptions, createColumnsView } from "./columns.ts";
export { createRowView, type RowViewOptions } from "./create_row_view.ts";
export { displayWidth } from "./display_text.ts";
export { findField } from "./field_selection.ts";
export { type HistogramText, renderHistogram } from "./histogram.ts";
export {
  createObjectView,
  createRowObject,
  type JsonObject,
  type ObjectViewOptions,
} from "./json.ts";
export { type MetricSetViewOptions, renderMetricSet } from "./metric_set_view.ts";
export { createRecordOrder, type RecordOrderOptions } from "./record_order.ts";
export { ROW_VIEW_MODES, type RowView, type RowViewMode } from "./row_view.ts";
