/** Types of prom-client's `lib/gauge.js`, which has none of its own. */
export { Gauge as default } from "prom-client";
