/** Parses the values of `--annotate`. */

import { UsageError } from "../errors.ts";
import type { AnnotationEntry } from "./annotation_entry.ts";

/**
 * Parses all values of `--annotate` in the order of the command line; later entries win over
 * earlier ones. A value is a comma-separated list of `DATASOURCE[.FIELD]:KEY=VALUE`; commas and
 * backslashes inside are written `\,` and `\\`.
 *
 * Throws: UsageError that shows the item and the expected form.
 */
export function parseAnnotate(flagValues: readonly string[]): AnnotationEntry[] {
  return flagValues.flatMap((flagValue) =>
    flagValue.trim() === "" ? [] : splitItems(flagValue).map(parseItem)
  );
}

/** Splits at commas that no backslash precedes. */
function splitItems(flagValue: string): string[] {
  const items: string[] = [];
  let item = "";
  for (let index = 0; index < flagValue.length; index++) {
    const letter = flagValue[index];
    const next = flagValue[index + 1];
    if (letter === "\\" && (next === "," || next === "\\")) {
      item += next;
      index++;
    } else if (letter === ",") {
      items.push(item);
      item = "";
    } else {
      item += letter;
    }
  }
  items.push(item);
  return items;
}

function parseItem(item: string): AnnotationEntry {
  const subject = /^([^:]*):([^=]*)=([^]*)$/.exec(item);
  if (subject === null) throw itemError(item, lacks(item));
  const [, names, key, value] = subject;
  const [dataSource, ...field] = names.trim().split(".");
  if (dataSource === "") throw itemError(item, "there is no data source before the colon");
  if (field.includes("")) throw itemError(item, "a field name has an empty part");
  if (key.trim() === "") throw itemError(item, "there is no key between colon and equals sign");
  return {
    dataSource,
    ...(field.length > 0 && { field: field.join(".") }),
    key: key.trim().toLowerCase(),
    value,
    place: { kind: "flag", describe: () => `--annotate ${JSON.stringify(item.trim())}` },
  };
}

function lacks(item: string): string {
  if (item.trim() === "") return "it is empty";
  if (!item.includes(":")) return "there is no colon";
  return "there is no equals sign after the colon";
}

function itemError(item: string, reason: string): UsageError {
  return new UsageError(
    `Cannot read --annotate item ${JSON.stringify(item)}: ` +
      `expected DATASOURCE[.FIELD]:KEY=VALUE, but ${reason}`,
    {
      hint: "items are separated by commas; a comma inside a value is written with a backslash: " +
        String.raw`'exec.latency:metrics.boundaries=1\,2\,4'`,
    },
  );
}
