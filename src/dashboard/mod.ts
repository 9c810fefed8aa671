/** Door of the dashboard layer: Grafana dashboards and Prometheus alert rules as plain data. Pure. */

export { type AlertGroups, type AlertRule, alertRules } from "./alert_rules.ts";
export { makeDashboard } from "./make_dashboard.ts";
export type { Dashboard } from "./grafana.ts";
export type { GadgetMetrics, MetricSource, ShownMetric } from "./gadget_metrics.ts";
