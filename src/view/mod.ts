/** Rows and metrics as text: columns, JSON, YAML, histograms. Pure: functions return strings. */

export { busiestField } from "./busiest_field.ts";
export { type ColumnsViewOptions, createColumnsView } from "./columns.ts";
export { createRowView, type RowViewOptions } from "./create_row_view.ts";
export {
  createObjectView,
  createRowObject,
  type JsonObject,
  type ObjectViewOptions,
} from "./json.ts";
export { createTableView, type FetchTable, type TableView } from "./create_table_view.ts";
export { displayWidth } from "./display_text.ts";
export { findField } from "./field_selection.ts";
export { type HistogramText, renderHistogram } from "./histogram.ts";
export { MetricCamera, type MetricPicture, type PictureSize } from "./metric_picture.ts";
export { type MetricSetViewOptions, renderMetricSet } from "./metric_set_view.ts";
export { createRecordOrder, type RecordOrderOptions } from "./record_order.ts";
export { ROW_VIEW_MODES, type RowView, type RowViewMode } from "./row_view.ts";
export { styledLine } from "./styled_line.ts";
