/**
 * How commands talk to `kmeter serve` over its Unix socket: one JSON object per line. The client sends one
 * request; the server answers with replies, of which the last is an end or an error. Whoever has enough
 * closes the connection.
 */

import { FormatError } from "../errors.ts";

/** Where the server listens unless told otherwise. Only the user who runs it can reach it. */
export const DEFAULT_SOCKET = "/run/kmeter/kmeter.sock";

/** The longest line in bytes. */
export const MAX_LINE_BYTES = 1 << 20;

/** The longest text of a reply in UTF-16 units: as JSON, one takes six bytes at most. */
const MAX_TEXT_UNITS = 1 << 17;

/** What a client wants. */
export type ControlRequest =
  | { readonly command: "ps" }
  | {
    readonly command: "start";
    readonly gadget: string;
    readonly name?: string;
    readonly args: readonly string[];
  }
  | { readonly command: "stop"; readonly id: string }
  | { readonly command: "logs"; readonly id?: string; readonly follow: boolean }
  | {
    readonly command: "attach";
    readonly id: string;
    readonly args: readonly string[];
    /** What the text is for. */
    readonly terminal: {
      readonly isTty: boolean;
      readonly canMoveCursor: boolean;
      readonly hasColours: boolean;
    } & TerminalSize;
  };

/** In characters. A client whose terminal gets another size sends that as a line of its own. */
export interface TerminalSize {
  readonly widthColumns: number;
  readonly heightRows: number;
}

/** What a client gets. */
export type ControlReply =
  /** Text for standard output. */
  | { readonly kind: "text"; readonly text: string }
  /** Text for standard error. */
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "instances"; readonly instances: readonly InstanceStatus[] }
  | { readonly kind: "end" }
  /** The request failed, as a command would. */
  | { readonly kind: "error"; readonly message: string; readonly hint?: string };

/** One gadget of a server. */
export interface InstanceStatus {
  readonly id: number;
  readonly name: string;
  readonly gadget: string;
  readonly state: "running" | "failed";
  /** In ms since the Unix epoch. */
  readonly startedMs: number;
  readonly eventsReceived: number;
  readonly eventsLost: number;
  readonly series: number;
  /** Why it does not run. */
  readonly error?: string;
}

/** Parts of a text that fit into a line each. No character is cut in two. */
export function* splitText(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + MAX_TEXT_UNITS, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00) end--;
    yield text.slice(at, end);
    at = end;
  }
}

/** Lines of a stream of bytes. Throws: FormatError for one that is too long. */
export async function* readLines(readable: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  // Whoever sent too much is still to be answered: cancelling would close the connection.
  for await (const chunk of readable.values({ preventCancel: true })) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > MAX_LINE_BYTES) {
      throw new FormatError(`A line at the socket is longer than ${MAX_LINE_BYTES} bytes`, {
        hint: "the versions of kmeter and of kmeter serve may differ: kmeter version",
      });
    }
  }
}
