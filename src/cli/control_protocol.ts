/**
 * How commands talk to `kmeter serve` over its Unix socket: one JSON object per line. The client sends one
 * request; the server answers with replies, of which the last is an end or an error. Whoever has enough
 * closes the connection.
 */

/** Where the server listens unless told otherwise. Only root can reach it. */
export const DEFAULT_SOCKET = "/run/kmeter/kmeter.sock";

/** The longest line in bytes. */
export const MAX_LINE_BYTES = 1 << 20;

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
      readonly widthColumns: number;
      readonly heightRows: number;
    };
  };

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

/** Lines of a stream of bytes. Throws: RangeError for one that is too long. */
export async function* readLines(readable: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of readable) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > MAX_LINE_BYTES) throw new RangeError("a line is too long");
  }
}
