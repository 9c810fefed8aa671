/** The terminal of a client of `kmeter serve`. */

import { COLOURED, PLAIN, type Styles } from "../text/mod.ts";
import type { ControlSession } from "./control_connection.ts";
import type { ControlRequest, TerminalSize } from "./control_protocol.ts";
import type { ScreenOwner } from "./screen_guard.ts";
import type { Terminal } from "./terminal.ts";

type TerminalOfClient = Extract<ControlRequest, { command: "attach" }>["terminal"];

/** What the client said of it, and says when it gets another size. Giving it back is the client's duty too. */
export class RemoteTerminal implements Terminal {
  readonly isTty: boolean;
  readonly canMoveCursor: boolean;
  readonly styles: Styles;
  readonly #session: ControlSession;
  #size: TerminalSize;
  #owner: ScreenOwner | undefined;

  constructor(terminal: TerminalOfClient, session: ControlSession) {
    this.isTty = terminal.isTty;
    this.canMoveCursor = terminal.canMoveCursor;
    this.styles = terminal.hasColours ? COLOURED : PLAIN;
    this.#size = terminal;
    this.#session = session;
    session.onLine((value) => {
      if (!isSize(value)) return;
      this.#size = value;
      this.#owner?.redraw();
    });
  }

  get isFull(): boolean {
    return this.#session.isFull;
  }

  widthColumns(): number {
    return this.#size.widthColumns;
  }

  heightRows(): number {
    return this.#size.heightRows;
  }

  write(text: string): void {
    if (text !== "") this.#session.send({ kind: "text", text });
  }

  notice(text: string): void {
    this.#session.send({ kind: "notice", text });
  }

  onTaken(owner: ScreenOwner): () => void {
    this.#owner = owner;
    return () => this.#owner = undefined;
  }

  room(): Promise<boolean> {
    return this.#session.room();
  }

  end(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

function isSize(value: unknown): value is TerminalSize {
  const { widthColumns, heightRows } = (value ?? {}) as Partial<TerminalSize>;
  return Number.isInteger(widthColumns) && Number.isInteger(heightRows);
}
