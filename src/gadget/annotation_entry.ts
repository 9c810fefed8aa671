/** One annotation as someone wrote it, with the place where it stands. */

import { FormatError, UsageError } from "../errors.ts";

export interface AnnotationEntry {
  readonly dataSource: string;
  /** Full dotted field name; absent for an annotation of the data source itself. */
  readonly field?: string;
  /** In lower case. */
  readonly key: string;
  readonly value: string;
  readonly place: Place;
}

/** Where something was written. `describe` is a function, since finding the line of a file costs a scan. */
export interface Place {
  readonly kind: "file" | "flag";
  /** For example `gadget.yaml:7 (datasources.exec.annotations)` or `--annotate "exec:a=b"`. */
  describe(): string;
}

/** The error class that fits the place: FormatError for a file, UsageError for a flag. */
export function placeError(
  place: Place,
  facts: { readonly message: string; readonly hint?: string },
): FormatError | UsageError {
  return place.kind === "file"
    ? new FormatError(facts.message, { hint: facts.hint })
    : new UsageError(facts.message, { hint: facts.hint });
}
