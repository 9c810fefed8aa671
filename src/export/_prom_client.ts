/**
 * The parts of prom-client that kmeter needs. The package's index would also load its push gateway,
 * cluster and default metrics, and with them Node's http, cluster and v8: 60 ms of a start.
 */

// @ts-types="./_prom_client_counter.d.ts"
export { default as Counter } from "prom-client/lib/counter.js";
// @ts-types="./_prom_client_gauge.d.ts"
export { default as Gauge } from "prom-client/lib/gauge.js";
// @ts-types="./_prom_client_registry.d.ts"
export { default as Registry } from "prom-client/lib/registry.js";
