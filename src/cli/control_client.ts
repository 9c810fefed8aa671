/** The commands' side of the socket of `kmeter serve`. */

import { systemError } from "../../ffi/mod.ts";
import { FormatError, UsageError } from "../errors.ts";
import {
  type ControlReply,
  type ControlRequest,
  DEFAULT_SOCKET,
  readLines,
} from "./control_protocol.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { escapeLines, writeNotice, writeOutput } from "./output.ts";

export const SOCKET_FLAG: Flag = {
  name: "socket",
  value: "PATH",
  description: `where kmeter serve listens for commands (default ${DEFAULT_SOCKET})`,
};

/** What a command does beside its request. */
export interface Asking {
  /** Takes text as it is, instead of standard output. */
  readonly onText?: (text: string) => void;
  /** Takes the replies that are neither text nor notices. */
  readonly onReply?: (reply: ControlReply) => void;
  /** Is lent the way to say more. */
  readonly onConnected?: (say: (line: unknown) => void) => void;
}

/**
 * Sends a request and hands on the replies; text and notices are written.
 * @throws KernelError if no server can be reached, UsageError with what it refuses, FormatError if its answer breaks off.
 */
export async function askServer(
  flags: ParsedFlags,
  request: ControlRequest,
  { onText = writeEscaped, onReply, onConnected }: Asking = {},
): Promise<void> {
  const path = flags.text("socket") ?? DEFAULT_SOCKET;
  const connection = await connect(path);
  // All that is needed is there.
  for (const name of ["net", "write"] as const) Deno.permissions.revokeSync({ name });
  onConnected?.((line) => void writeLine(connection, line));
  try {
    for await (const reply of exchange(connection, request)) {
      if (reply.kind === "end") return;
      if (reply.kind === "error") throw new UsageError(reply.message, { hint: reply.hint });
      if (reply.kind === "text") onText(reply.text);
      else if (reply.kind === "notice") writeNotice(reply.text);
      else onReply?.(reply);
    }
  } finally {
    close(connection);
  }
  throw new FormatError(`The kmeter at "${path}" has ended in the middle of its answer`, {
    hint: "it may have been killed; what it said last tells why",
  });
}

/** Names and messages of gadgets may come from strangers. */
function writeEscaped(text: string): void {
  writeOutput(escapeLines(text));
}

/** Ends where the server does. */
async function* exchange(
  connection: Deno.UnixConn,
  request: ControlRequest,
): AsyncGenerator<ControlReply> {
  await writeLine(connection, request);
  const lines = readLines(connection.readable);
  while (true) {
    const { value, done } = await lines.next().catch(endOf);
    if (done === true) return;
    yield JSON.parse(value);
  }
}

async function writeLine(connection: Deno.UnixConn, value: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  } catch {
    // A server that takes nothing has said why.
  }
}

/** A server that is killed resets the connection, or just closes it. */
function endOf(error: unknown): IteratorResult<string> {
  if (error instanceof Deno.errors.ConnectionReset) return { value: undefined, done: true };
  throw error;
}

async function connect(path: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (cause) {
    const { reason, hint } = CONNECT_FAILURES.find(({ type }) => cause instanceof type) ??
      { reason: "", hint: "give the socket of a kmeter serve: --socket PATH" };
    throw systemError(cause, {
      what: `Cannot connect to "${path}"${reason}`,
      call: "connect",
      hint,
    });
  }
}

const START_ONE = "start one with kmeter serve -f kmeter.yaml, or give its --socket";

const CONNECT_FAILURES = [
  { type: Deno.errors.NotFound, reason: ", there is no such socket", hint: START_ONE },
  {
    type: Deno.errors.ConnectionRefused,
    reason: ", no kmeter serve listens there",
    hint: START_ONE,
  },
  {
    type: Deno.errors.PermissionDenied,
    reason: ", which only the user who runs kmeter serve may",
    hint: "run it as that user, such as with sudo",
  },
];

/** A stream that is read to its end closes the connection by itself. */
function close(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
