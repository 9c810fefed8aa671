/** Emits `--filter` conditions: `matchesFilter` in decode is their specification. */

import {
  type CodeWriter,
  elementSizeBytes,
  emitNumber,
  emitUint,
  type Field,
  type FieldFormatter,
  type FilterTerm,
  isNumericKind,
  isSignedKind,
  matchesFilter,
  type RecordBytes,
  type SegmentVariables,
} from "../decode/mod.ts";

/** Text of fields with a format. */
export type FilterFormatters = ReadonlyMap<Field, FieldFormatter>;

/** Interprets one term on the record at two places. */
type TermMatcher = (view: DataView, at: number, valueView: DataView, valueAt: number) => boolean;

/** What the generated code gets: one matcher per term, for terms that it does not emit. */
export interface FilterArguments {
  readonly matchers: readonly TermMatcher[];
}

/** Makes the arguments. Cost: an interpreted term allocates its text. */
export function filterArguments(
  terms: readonly FilterTerm[],
  formatters: FilterFormatters,
): FilterArguments {
  return {
    matchers: terms.map((term): TermMatcher => {
      const single = [term];
      return (view, at, valueView, valueAt) => {
        const record: RecordBytes = { segments: [view, valueView], offsets: [at, valueAt] };
        return matchesFilter(single, record, formatters);
      };
    }),
  };
}

/** Emits one `if … continue` per term; `refuse` is what else happens to a refused record. */
export function emitFilter(
  writer: CodeWriter,
  terms: readonly FilterTerm[],
  context: {
    readonly segments: readonly [SegmentVariables, SegmentVariables];
    readonly refuse?: string;
  },
): void {
  const { segments, refuse } = context;
  const refusal = ["filtered++;", ...(refuse === undefined ? [] : [refuse]), "continue;"];
  terms.forEach((term, index) => {
    const [first, second] = segments;
    const condition = emitTerm(term, segments[term.field.segment]) ??
      `constants.matchers[${index}](${first.view}, ${first.base}, ${second.view}, ${second.base})`;
    writer.line(`if (!(${condition})) { ${refusal.join(" ")} }`);
  });
}

/** Expression of a term; undefined if it is interpreted. */
function emitTerm(term: FilterTerm, segment: SegmentVariables): string | undefined {
  const { field } = term;
  switch (term.type) {
    case "integer":
      return emitIntegerTerm(term, segment);
    case "boolean":
      return `${emitNumber(field, segment)} ${term.operator}= ${term.value ? 1 : 0}`;
    case "text":
      return field.format === undefined && (term.operator === "==" || term.operator === "!=")
        ? emitEqualText(term, segment)
        : undefined;
    case "float":
      return Number.isFinite(term.value)
        ? `${emitNumber(field, segment)} ${strictOperator(term.operator)} ${term.value}`
        : undefined;
    case "pattern":
      return undefined;
  }
}

function strictOperator(operator: string): string {
  return operator === "==" || operator === "!=" ? `${operator}=` : operator;
}

function emitIntegerTerm(
  term: Extract<FilterTerm, { type: "integer" }>,
  segment: SegmentVariables,
): string | undefined {
  const { field, value } = term;
  const operator = strictOperator(term.operator);
  if (!isNumericKind(field.kind) || field.bitSize > 32) return undefined;
  if (field.bitSize > 0 || elementSizeBytes(field) <= 4) {
    return `${emitNumber(field, segment)} ${operator} ${Number(value)}`;
  }
  const read = isSignedKind(field.kind) ? "getBigInt64" : "getBigUint64";
  return `${segment.view}.${read}(${segment.base} + ${field.offsetBytes}, true) ${operator} ${value}n`;
}

/**
 * Compares bytes up to and with the NUL. Equal bytes are equal text, and other bytes decode to the
 * same text only if it has a backslash, as bytes that are no text do.
 */
function emitEqualText(
  term: Extract<FilterTerm, { type: "text" }>,
  segment: SegmentVariables,
): string | undefined {
  const { field, value, operator } = term;
  if (field.kind !== "cstring" || !value.isWellFormed() || /[\0\\]/.test(value)) {
    return undefined;
  }
  const bytes = new TextEncoder().encode(value);
  if (bytes.length > field.sizeBytes) return operator === "==" ? "false" : "true";
  const wanted = bytes.length < field.sizeBytes ? [...bytes, 0] : [...bytes];
  const equal = wanted.map((byte, index) =>
    `${emitUint(segment, field.offsetBytes + index, 1)} === ${byte}`
  );
  return operator === "==" ? equal.join(" && ") : `!(${equal.join(" && ")})`;
}
