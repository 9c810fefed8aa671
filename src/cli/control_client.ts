/** The commands' side of the socket of `kmeter serve`. */

import { KernelError, UsageError } from "../errors.ts";
import {
  type ControlReply,
  type ControlRequest,
  DEFAULT_SOCKET,
  readLines,
} from "./control_protocol.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { writeNotice, writeOutput } from "./output.ts";

export const SOCKET_FLAG: Flag = {
  name: "socket",
  value: "PATH",
  description: `where kmeter serve listens for commands (default ${DEFAULT_SOCKET})`,
};

/**
 * Sends a request and hands on the replies; text and notices are written.
 * @throws KernelError if no server can be reached, UsageError with what it refuses.
 */
export async function askServer(
  flags: ParsedFlags,
  request: ControlRequest,
  onReply: (reply: ControlReply) => void = () => {},
): Promise<void> {
  const path = flags.text("socket") ?? DEFAULT_SOCKET;
  const connection = await connect(path);
  try {
    await connection.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    for await (const line of readLines(connection.readable)) {
      const reply: ControlReply = JSON.parse(line);
      if (reply.kind === "end") return;
      if (reply.kind === "error") throw new UsageError(reply.message, { hint: reply.hint });
      if (reply.kind === "text") writeOutput(reply.text);
      else if (reply.kind === "notice") writeNotice(reply.text);
      else onReply(reply);
    }
  } finally {
    close(connection);
  }
  throw new KernelError(`The kmeter at "${path}" has ended`, { call: "read", errno: 104 });
}

async function connect(path: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (cause) {
    const isDenied = cause instanceof Deno.errors.PermissionDenied;
    throw new KernelError(
      isDenied
        ? `Cannot connect to "${path}": only root may`
        : `Cannot connect to "${path}": no kmeter serve listens there`,
      {
        call: "connect",
        errno: isDenied ? 13 : 2,
        hint: isDenied
          ? "run it with sudo"
          : "start one with kmeter serve -f kmeter.yaml, or give its --socket",
        cause,
      },
    );
  }
}

/** A stream that is read to its end closes the connection by itself. */
function close(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
