/** A terminal of tests. */

import type { ScreenOwner } from "../../../src/cli/screen_guard.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";
import { PLAIN } from "../../../src/text/mod.ts";

/** A terminal that keeps what it is given. */
export class FakeTerminal implements Terminal {
  readonly isTty: boolean;
  readonly canMoveCursor: boolean;
  readonly styles = PLAIN;
  isFull = false;
  size = { columns: 31, rows: 6 };
  written = "";
  readonly notices: string[] = [];
  owner: ScreenOwner | undefined;

  constructor(is: { isTty?: boolean; canMoveCursor?: boolean } = {}) {
    this.isTty = is.isTty ?? true;
    this.canMoveCursor = is.canMoveCursor ?? this.isTty;
  }

  widthColumns(): number {
    return this.size.columns;
  }
  heightRows(): number {
    return this.size.rows;
  }
  write(text: string): void {
    this.written += text;
  }
  notice(text: string): void {
    this.notices.push(text);
  }
  onTaken(owner: ScreenOwner): () => void {
    this.owner = owner;
    return () => this.owner = undefined;
  }
  room(): Promise<boolean> {
    return Promise.resolve(true);
  }
  end(): Promise<boolean> {
    return Promise.resolve(true);
  }
  /** What was written since it was asked last. */
  taken(): string {
    const text = this.written;
    this.written = "";
    return text;
  }
}
