// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Screen, type ScreenPart } from "../../../src/cli/screen.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

function numbered(name: string, count: number): ScreenPart {
  return {
    isEmpty: count === 0,
    draw: ({ maxLines }) => ({
      lines: Array.from({ length: Math.min(count, maxLines) }, (_, i) => `${name}${i}`),
      note: `${count} rows`,
    }),
  };
}

/** Lines of the only picture in a text. */
function pictured(text: string): string[] {
  // deno-lint-ignore no-control-regex
  const match = /^\x1b\[H(.*)\x1b\[J$/s.exec(text);
  assert(match !== null, JSON.stringify(text));
  return match[1].split("\n").map((line) => {
    assert(line.endsWith("\x1b[K"), JSON.stringify(line));
    return line.slice(0, -3);
  });
}

function screenOn(terminal: FakeTerminal): Screen {
  return new Screen({ terminal, title: "top_x", now: () => new Date(2026, 0, 1, 12, 34, 56) });
}

Deno.test("a picture replaces the last one, and is as high as the terminal", () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  screen.enter();
  assertEquals(terminal.taken().slice(0, ENTER.length), ENTER);
  assertEquals(pictured(screen.show("a", numbered("a", 9))), [
    "top_x  12:34:56  9 rows",
    ...["a0", "a1", "a2", "a3", "a4"],
  ]);
  assertEquals(terminal.written, "");
  terminal.size = { columns: 11, rows: 3 };
  terminal.owner?.redraw();
  assertEquals(pictured(terminal.taken()), ["top_x  12…", "a0", "a1"]);
});

Deno.test("parts share the lines, and what one does not need is the others'", () => {
  const terminal = new FakeTerminal();
  terminal.size.rows = 14;
  const screen = screenOn(terminal);
  screen.enter();
  screen.show("a", numbered("a", 2));
  assertEquals(pictured(screen.show("b", numbered("b", 99))), [
    "top_x  12:34:56",
    ...["", "a  2 rows", "a0", "a1"],
    ...["", "b  99 rows", "b0", "b1", "b2", "b3", "b4", "b5", "b6"],
  ]);
});

Deno.test("parts that have nothing to show make room for the others, and are counted", () => {
  const terminal = new FakeTerminal();
  terminal.size.rows = 10;
  const screen = screenOn(terminal);
  screen.enter();
  for (const name of ["a", "b", "c", "d"]) screen.show(name, numbered(name, name === "c" ? 9 : 0));
  assertEquals(pictured(screen.show("d", numbered("d", 0))), [
    "top_x  12:34:56",
    ...["", "a  0 rows"],
    ...["", "c  9 rows", "c0", "c1", "c2"],
    ...["", "… and 2 more data sources"],
  ]);
});

Deno.test("notices are shown on the last line, and told when the terminal is given back", () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  screen.notice("early");
  assertEquals(terminal.notices, ["early"]);
  screen.enter();
  screen.show("a", numbered("a", 9));
  terminal.taken();
  screen.notice("warning: b\x1b[2J\nhint: c");
  assertEquals(pictured(terminal.taken()).slice(-2), ["a3", "warning: b\\x1b[2J"]);
  screen.leave();
  assertEquals(
    terminal.taken(),
    `${LEAVE}top_x  12:34:56  9 rows\na0\na1\na2\na3\n`,
  );
  assertEquals(terminal.notices, ["early", "warning: b\x1b[2J\nhint: c"]);
  screen.leave();
  assertEquals([terminal.taken(), terminal.owner], ["", undefined]);
  // What comes late has no place.
  assertEquals(screen.show("a", numbered("a", 1)), "");
});

Deno.test("a stop gives the terminal back, and takes it when it goes on", () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  screen.enter();
  terminal.taken();
  terminal.owner?.suspend();
  assertEquals(terminal.taken(), LEAVE);
  terminal.owner?.resume();
  assertEquals(terminal.taken().slice(0, ENTER.length), ENTER);
});

Deno.test("a terminal that takes nothing is not drawn on for a notice or another size", () => {
  const terminal = new FakeTerminal();
  const screen = screenOn(terminal);
  screen.enter();
  terminal.taken();
  terminal.isFull = true;
  screen.notice("x");
  terminal.owner?.redraw();
  assertEquals(terminal.taken(), "");
});
