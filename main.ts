/** kmeter: runs eBPF gadgets and turns what they see into metrics. */

import { main } from "./src/cli/mod.ts";

Deno.exit(await main(Deno.args));
