/** `kmeter attach`: the rows of a gadget of a `kmeter serve` that runs. */

import { COLOURED } from "../text/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { askServer, SOCKET_FLAG } from "./control_client.ts";
import type { TerminalSize } from "./control_protocol.ts";
import { type Flag, onlyArgument, parseFlags, refuseUnknownFlags } from "./flags.ts";
import { canMoveCursor, stylesOf, terminalSize, writeOutput } from "./output.ts";
import { ATTACH_FLAGS } from "./run_flags.ts";
import { ENTER_SCREEN, LEAVE_SCREEN } from "./screen.ts";
import { guardScreen } from "./screen_guard.ts";
import { StopSignal } from "./stop_signal.ts";

const ATTACH_COMMAND_FLAGS: readonly Flag[] = [...ATTACH_FLAGS, SOCKET_FLAG, HELP_FLAG];

export const attachCommand: CommandBody = {
  usage: "ID|NAME [flags]",
  details:
    "Counting goes on all the same, whether somebody looks or not. Ctrl-C leaves the gadget alone.",
  flags: ATTACH_COMMAND_FLAGS,
  async run(args) {
    const flags = parseFlags(args, ATTACH_COMMAND_FLAGS);
    refuseUnknownFlags(flags, ATTACH_COMMAND_FLAGS);
    const id = onlyArgument(flags, "attach", "id or name");
    using surface = new Surface();
    const asked = askServer(flags, {
      command: "attach",
      id,
      args: ATTACH_FLAGS.flatMap(({ name }) => {
        const value = flags.text(name);
        return value === undefined ? [] : [`--${name}=${value}`];
      }),
      terminal: {
        isTty: Deno.stdout.isTerminal(),
        canMoveCursor: canMoveCursor(),
        hasColours: stylesOf(Deno.stdout) === COLOURED,
        ...sizeNow(),
      },
    }, {
      onText: (text) => surface.write(text),
      onConnected: (say) => surface.onConnected(say),
    });
    await Promise.race([asked, surface.stopped]);
    return 0;
  },
};

function sizeNow(): TerminalSize {
  const { columns, rows } = terminalSize();
  return { widthColumns: columns, heightRows: rows };
}

/**
 * This side's terminal: the server draws on it, and does not see what happens to it. Where nothing is drawn,
 * signals end the process as ever, even while it waits for who reads its output.
 */
class Surface implements Disposable {
  readonly #stop = canMoveCursor() ? new StopSignal() : undefined;
  readonly #endGuard: (() => void) | undefined;
  readonly #onResize = () => this.#say?.(sizeNow());
  #say: ((line: unknown) => void) | undefined;
  #isTaken = false;

  constructor() {
    const stop = this.#stop;
    if (stop === undefined) return;
    const leave = () => this.#giveBack();
    const resume = () => {
      if (this.#isTaken) writeOutput(ENTER_SCREEN);
      // The server draws all of it anew for a size that it is told.
      this.#onResize();
    };
    this.#endGuard = guardScreen({ leave, suspend: leave, resume }, () => stop.request());
    Deno.addSignalListener("SIGWINCH", this.#onResize);
  }

  /** Stays open where signals end the process. */
  get stopped(): Promise<void> {
    return this.#stop?.requested ?? new Promise(() => {});
  }

  onConnected(say: (line: unknown) => void): void {
    this.#say = say;
  }

  write(text: string): void {
    if (text.startsWith(ENTER_SCREEN)) this.#isTaken = true;
    if (text.startsWith(LEAVE_SCREEN)) this.#isTaken = false;
    writeOutput(text);
  }

  #giveBack(): void {
    if (this.#isTaken) writeOutput(LEAVE_SCREEN);
  }

  [Symbol.dispose](): void {
    if (this.#stop === undefined) return;
    this.#stop.close();
    this.#endGuard?.();
    Deno.removeSignalListener("SIGWINCH", this.#onResize);
    this.#giveBack();
  }
}
