/** Types of prom-client's `lib/counter.js`, which has none of its own. */
export { Counter as default } from "prom-client";
