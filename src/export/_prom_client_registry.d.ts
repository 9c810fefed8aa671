/** Types of prom-client's `lib/registry.js`, which has none of its own. */
export { Registry as default } from "prom-client";
