/** A view that is drawn again and again in the same place of a terminal, as `top` does. */

import { escapeControls, type Segment } from "../text/mod.ts";
import { styledLine } from "../view/mod.ts";
import type { Terminal } from "./terminal.ts";

/** Room for a part of the picture. */
export interface PartSize {
  readonly maxLines: number;
  readonly widthColumns: number;
}

/** A part of the picture: one data source, or all drawn metrics. */
export interface ScreenPart {
  /** True if there is nothing to show now. */
  readonly isEmpty: boolean;
  /** No line is wider than the terminal. `note` says what they are: `20 of 120 rows`. */
  draw(size: PartSize): { readonly lines: readonly string[]; readonly note: string };
}

/** Parts of a screen. */
export interface ScreenOptions {
  readonly terminal: Terminal;
  /** What is seen. */
  readonly title: string;
  readonly now: () => Date;
}

/** The alternate screen, without a cursor. */
export const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l";
export const LEAVE_SCREEN = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const ERASE_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";
/** An empty line and a name, before each of several parts. */
const HEAD_LINES = 2;
/** With fewer, a header and two rows among them, a part tells little. */
const FEW_LINES = HEAD_LINES + 3;
/** Older ones are left out: who looks at a screen for days has no use for thousands. */
const MAX_NOTICES = 100;

/** Of a picture: erasing behind a line that fills the terminal would erase its last character. */
export function pictureWidth(terminal: Terminal): number {
  return Math.max(1, terminal.widthColumns() - 1);
}

/** Pictures of all parts, and what is told meanwhile. Ownership: `leave()` gives the terminal back. */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #parts = new Map<string, ScreenPart>();
  #isOn = false;
  #release: (() => void) | undefined;
  #notices: string[] = [];
  #noticesLeftOut = 0;
  /** As they were shown last: what they show may be gone when the screen is left. */
  #last: readonly string[] = [];

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Takes the terminal. */
  enter(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    const { terminal } = this.#options;
    terminal.write(ENTER_SCREEN + this.#picture());
    this.#release = terminal.onTaken({
      redraw: () => this.#redraw(),
      suspend: () => terminal.write(LEAVE_SCREEN),
      resume: () => terminal.write(ENTER_SCREEN + this.#picture()),
      leave: () => this.leave(),
      notice: (text) => this.notice(text),
    });
  }

  /** Puts a part into the picture. @returns text of the next picture. */
  show(name: string, part: ScreenPart): string {
    this.#parts.set(name, part);
    return this.#isOn ? this.#picture() : "";
  }

  /** Shows what is told on the last line, and keeps it until the screen is left. */
  notice(text: string): void {
    if (!this.#isOn) return this.#options.terminal.notice(text);
    this.#notices.push(text);
    if (this.#notices.length > MAX_NOTICES) {
      this.#notices.shift();
      this.#noticesLeftOut++;
    }
    this.#redraw();
  }

  /** Gives the terminal back, with the last picture and all that was told. Idempotent. */
  leave(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#release?.();
    const { terminal } = this.#options;
    terminal.write(LEAVE_SCREEN + this.#last.map((line) => `${line}\n`).join(""));
    if (this.#noticesLeftOut > 0) {
      terminal.notice(`${this.#noticesLeftOut} older messages left out`);
    }
    for (const text of this.#notices.splice(0)) terminal.notice(text);
  }

  /** A terminal that takes nothing gets the next picture. */
  #redraw(): void {
    const { terminal } = this.#options;
    if (this.#isOn && !terminal.isFull) terminal.write(this.#picture());
  }

  #picture(): string {
    const { terminal } = this.#options;
    const notice = this.#notices.at(-1)?.split("\n", 1)[0];
    const widthColumns = pictureWidth(terminal);
    const height = Math.max(1, terminal.heightRows());
    const isTold = notice !== undefined && height > 2;
    const lines = this.#draw({ maxLines: height - (isTold ? 1 : 0), widthColumns });
    this.#last = lines;
    const shown = isTold ? [...lines, this.#line(["", notice], widthColumns)] : lines;
    return HOME + shown.map((line) => line + ERASE_LINE).join("\n") + ERASE_BELOW;
  }

  #draw({ maxLines, widthColumns }: PartSize): string[] {
    const time = this.#options.now().toTimeString().slice(0, 8);
    const title = (note: string) =>
      this.#line([this.#options.title, `  ${time}${note === "" ? "" : `  ${note}`}`], widthColumns);
    const all = [...this.#parts];
    if (all.length === 1) {
      const { lines, note } = all[0][1].draw({ maxLines: maxLines - 1, widthColumns });
      return [title(note), ...lines].slice(0, maxLines);
    }
    const parts = choose(all, maxLines - 1);
    const leftOut = all.length - parts.length;
    const more = leftOut > 0 ? ["", `… and ${leftOut} more data sources`] : [];
    const drawn = drawParts(parts.map(([, part]) => part), {
      maxLines: Math.max(0, maxLines - 1 - HEAD_LINES * parts.length - more.length),
      widthColumns,
    });
    const body = drawn.flatMap(({ lines, note }, i) => [
      "",
      this.#line([parts[i][0], `  ${note}`], widthColumns),
      ...lines,
    ]);
    const last = more.map((line) => this.#line(["", line], widthColumns));
    return [title(""), ...body, ...last].slice(0, maxLines);
  }

  /** Names and what is told may come from strangers. */
  #line([strong, more]: readonly [string, string], widthColumns: number): string {
    const { styles } = this.#options.terminal;
    const segments: Segment[] = [["strong", escapeControls(strong)], escapeControls(more)];
    return styledLine(segments, { width: widthColumns, styles });
  }
}

/** Those that have room, in their order; what has nothing to show goes first. */
function choose(
  parts: readonly (readonly [name: string, part: ScreenPart])[],
  maxLines: number,
): typeof parts {
  const lines = (chosen: typeof parts) =>
    chosen.reduce((sum, [, { isEmpty }]) => sum + (isEmpty ? HEAD_LINES : FEW_LINES), 0);
  if (lines(parts) <= maxLines) return parts;
  const chosen = new Set<ScreenPart>();
  let left = maxLines - HEAD_LINES;
  for (const emptiness of [false, true]) {
    for (const [, part] of parts) {
      if (part.isEmpty !== emptiness) continue;
      left -= emptiness ? HEAD_LINES : FEW_LINES;
      if (left >= 0 || chosen.size === 0) chosen.add(part);
    }
  }
  return parts.filter(([, part]) => chosen.has(part));
}

/** Each part gets an equal share of the lines; what one does not need is shared by those that want more. */
function drawParts(parts: readonly ScreenPart[], { maxLines, widthColumns }: PartSize) {
  const share = Math.floor(maxLines / Math.max(1, parts.length));
  const first = parts.map((part) => part.draw({ maxLines: share, widthColumns }));
  const hungry = first.filter(({ lines }) => lines.length >= share).length;
  const used = first.reduce((sum, { lines }) => sum + lines.length, 0);
  const more = Math.floor((maxLines - used) / Math.max(1, hungry));
  if (more < 1) return first;
  return first.map((drawn, i) =>
    drawn.lines.length < share ? drawn : parts[i].draw({ maxLines: share + more, widthColumns })
  );
}
