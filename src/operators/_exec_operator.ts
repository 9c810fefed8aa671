/** `exec:`: feeds a program JSON lines. */

import { killProcessGroup } from "../../ffi/mod.ts";
import { parseDurationMs } from "../gadget/mod.ts";
import type { RecordBytes } from "../decode/mod.ts";
import { UsageError } from "../errors.ts";
import type { DataSource, Gadget, Operator, OperatorInstance, OperatorParam } from "./operator.ts";

/** How long the program may take to end once there is no more to read. */
const END_MS = 2000;
const INTERVAL = "exec-metrics-interval";
const NO_ROWS = "exec-no-rows";

/** The flags of all programs. */
export const EXEC_PARAMS: readonly OperatorParam[] = [
  {
    name: INTERVAL,
    value: "DURATION",
    description: "programs of --operator exec: are told the metrics this often (default: never)",
  },
  { name: NO_ROWS, description: "programs of --operator exec: are not told rows" },
];

/** One program for all gadgets. A slow one is waited for, here; the rest of kmeter does not wait. */
export class ExecOperator implements Operator<Gadget> {
  readonly name = "exec";
  readonly priority = 80;
  readonly params = EXEC_PARAMS;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  #isClosing = false;

  /** @param options.onEnd is told once if the program ends too early. */
  constructor(command: string, { onEnd }: { readonly onEnd: (message: string) => void }) {
    // A group of its own: Ctrl-C is for kmeter, which then lets the program read to the end.
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", command],
      stdin: "piped",
      detached: true,
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {});
    void this.#child.status.then(({ code, signal }) => {
      if (!this.#isClosing) onEnd(`the program has ended: ${signal ?? `status ${code}`}`);
    });
  }

  /** The program and its children. */
  get processGroup(): number {
    return this.#child.pid;
  }

  instantiate(gadget: Gadget): OperatorInstance | undefined {
    const interval = gadget.param(INTERVAL);
    if (gadget.param(NO_ROWS) !== "true") {
      for (const source of gadget.dataSources) {
        source.subscribe({ take: (records) => this.#tellRows(gadget, source, records) });
      }
    }
    if (interval !== undefined) {
      const intervalMs = parseDurationMs(interval);
      if (intervalMs === undefined || intervalMs <= 0) {
        throw new UsageError(`--${INTERVAL} "${interval}": wanted a duration`, {
          hint: "write 500ms, 2s or 1m30s",
        });
      }
      gadget.metrics.subscribe({
        take: (reading) => {
          const time = new Date().toISOString();
          return this.#write(
            reading.snapshot().map((metric) =>
              line({ kind: "metric", gadget: gadget.name, time, ...metric })
            ),
          );
        },
      }, { intervalMs });
    }
    return undefined;
  }

  #tellRows(
    { name }: Gadget,
    source: DataSource,
    records: Iterable<RecordBytes>,
  ): Promise<void> {
    const kind = source.kind === "tracer" ? "event" : "row";
    const lines: string[] = [];
    for (const record of records) {
      const fields = source.toObject(record);
      lines.push(line({ kind, gadget: name, dataSource: source.name, fields }));
    }
    return this.#write(lines);
  }

  async #write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    try {
      await this.#input.write(this.#encoder.encode(lines.join("")));
    } catch {
      // It has ended, and that was told, or it has closed its input: then it wants no more.
    }
  }

  /** Lets the program read to the end, and waits a little for it. @throws Error if it does not end. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#input.close().catch(() => {});
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), END_MS);
    const status = await Promise.race([this.#child.status, late.promise]);
    clearTimeout(timer);
    if (status === undefined) {
      killProcessGroup(this.processGroup);
      throw new Error(`its program has not ended in ${END_MS / 1000} s, and was killed`);
    }
    if (!status.success) {
      throw new Error(`its program has ended: ${status.signal ?? `status ${status.code}`}`);
    }
  }
}

/** 64-bit integers are numbers if those are exact, else text; what is no number in JSON is text too. */
function line(value: object): string {
  return `${
    JSON.stringify(value, (_, member) => {
      if (typeof member === "bigint") {
        return Number.isSafeInteger(Number(member)) ? Number(member) : String(member);
      }
      if (typeof member === "number" && !Number.isFinite(member)) return jsonNumberText(member);
      return member;
    })
  }\n`;
}

/** As the exposition formats write them. */
function jsonNumberText(value: number): string {
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
