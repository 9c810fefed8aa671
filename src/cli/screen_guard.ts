/** Gives a terminal back whatever ends or stops the process. */

import { stopProcess } from "../../ffi/mod.ts";

/** What has taken the terminal. */
export interface ScreenOwner {
  /** The terminal has another size. */
  redraw(): void;
  /** Gives the terminal back for a while. */
  suspend(): void;
  /** Takes it again. */
  resume(): void;
  /** Gives it back for good. */
  leave(): void;
  /** Takes what would be written to the terminal in the meantime. */
  notice(text: string): void;
}

/**
 * Watches what else would end or stop the process: SIGHUP and SIGQUIT end it in good order, Ctrl-Z gives
 * the terminal back until it goes on, an error that nobody catches gives it back first.
 * @returns ends the watch.
 */
export function guardScreen(
  owner: Pick<ScreenOwner, "suspend" | "resume" | "leave">,
  stop: () => void,
): () => void {
  const listeners: readonly (readonly [Deno.Signal, () => void])[] = [
    // Else it may mean that files are to be read again.
    ...(Deno.stdin.isTerminal() ? [["SIGHUP", stop] as const] : []),
    ["SIGQUIT", stop],
    ["SIGTSTP", () => {
      owner.suspend();
      stopProcess();
    }],
    ["SIGCONT", () => owner.resume()],
  ];
  const onError = () => owner.leave();
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  for (const event of ERRORS) globalThis.addEventListener(event, onError);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    for (const event of ERRORS) globalThis.removeEventListener(event, onError);
  };
}

const ERRORS = ["error", "unhandledrejection"];
