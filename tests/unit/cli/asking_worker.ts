/** Asks a server for its gadgets, and posts what this thread may still do when the answer comes. */

/// <reference lib="deno.worker" />

import { askServer, SOCKET_FLAG } from "../../../src/cli/control_client.ts";
import { parseFlags } from "../../../src/cli/flags.ts";

const NAMES = ["net", "write", "read"] as const;

self.onmessage = async ({ data: path }: MessageEvent<string>) => {
  const flags = parseFlags(["--socket", path], [SOCKET_FLAG]);
  await askServer(flags, { command: "ps" }, {
    onReply: () => {
      self.postMessage(
        NAMES.filter((name) => Deno.permissions.querySync({ name }).state === "granted"),
      );
    },
  });
};
