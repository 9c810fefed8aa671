// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import { parseAnnotate } from "../../../src/gadget/mod.ts";

type Parsed = [dataSource: string, field: string | undefined, key: string, value: string];

function parse(...flags: string[]): Parsed[] {
  return parseAnnotate(flags).map((
    { dataSource, field, key, value },
  ) => [dataSource, field, key, value]);
}

const ACCEPTED: { flags: string[]; expected: Parsed[] }[] = [
  { flags: [], expected: [] },
  { flags: [""], expected: [] },
  {
    flags: ["exec:metrics.collect=true"],
    expected: [["exec", undefined, "metrics.collect", "true"]],
  },
  {
    flags: ["exec.proc.comm:metrics.type=key"],
    expected: [["exec", "proc.comm", "metrics.type", "key"]],
  },
  {
    flags: ["a:k=1, b.f:Metrics.Name=x"],
    expected: [["a", undefined, "k", "1"], ["b", "f", "metrics.name", "x"]],
  },
  {
    flags: [String.raw`a.f:metrics.boundaries=1\,2\,4,a:k=v`],
    expected: [["a", "f", "metrics.boundaries", "1,2,4"], ["a", undefined, "k", "v"]],
  },
  {
    flags: [String.raw`a:k=back\\slash\n`],
    expected: [["a", undefined, "k", String.raw`back\slash\n`]],
  },
  {
    flags: ["a:k=http://host:1/?x=y", "a:empty="],
    expected: [["a", undefined, "k", "http://host:1/?x=y"], ["a", undefined, "empty", ""]],
  },
  {
    flags: ["a:k=1", "b:k=2"],
    expected: [["a", undefined, "k", "1"], ["b", undefined, "k", "2"]],
  },
];
for (const { flags, expected } of ACCEPTED) {
  Deno.test(`--annotate reads ${JSON.stringify(flags)}`, () =>
    assertEquals(parse(...flags), expected));
}

const REFUSED: { flag: string; message: string }[] = [
  { flag: "exec", message: '"exec": expected DATASOURCE[.FIELD]:KEY=VALUE, but there is no colon' },
  {
    flag: "exec:metrics.collect",
    message:
      '"exec:metrics.collect": expected DATASOURCE[.FIELD]:KEY=VALUE, but there is no equals sign after the colon',
  },
  {
    flag: ":k=v",
    message:
      '":k=v": expected DATASOURCE[.FIELD]:KEY=VALUE, but there is no data source before the colon',
  },
  {
    flag: "a.:k=v",
    message: '"a.:k=v": expected DATASOURCE[.FIELD]:KEY=VALUE, but a field name has an empty part',
  },
  {
    flag: "a:=v",
    message:
      '"a:=v": expected DATASOURCE[.FIELD]:KEY=VALUE, but there is no key between colon and equals sign',
  },
  { flag: "a:k=v,", message: '"": expected DATASOURCE[.FIELD]:KEY=VALUE, but it is empty' },
  {
    flag: "a.f:metrics.boundaries=1,2",
    message: '"2": expected DATASOURCE[.FIELD]:KEY=VALUE, but there is no colon',
  },
];
for (const { flag, message } of REFUSED) {
  Deno.test(`--annotate refuses ${flag}`, () => {
    const error = assertThrows(() => parseAnnotate([flag]), UsageError);
    assertEquals(error.message, `Cannot read --annotate item ${message}`);
    assertEquals(
      error.hint,
      "items are separated by commas; a comma inside a value is written with a backslash: " +
        String.raw`'exec.latency:metrics.boundaries=1\,2\,4'`,
    );
  });
}
