/**
 * The `--filter` language: `field==value`, `!=`, `>=`, `<=`, `>`, `<`, `~regexp`, `!~regexp`;
 * a single `=` means `==`, a comma means AND, `\,` is a comma within a value.
 *
 * Fields with a text form take both: a number is compared with the raw value, anything else with
 * the text; the name of an enumerator means its value. A name that no number has is an error.
 */

import { UsageError } from "../errors.ts";
import type { Field, FieldFormatter, RecordBytes, TextFormat } from "./field.ts";
import { closestName, fieldsNamed } from "./named_field.ts";
import { readField, readInteger, readNumber } from "./interpret.ts";

export type ComparisonOperator = "==" | "!=" | ">=" | "<=" | ">" | "<";

/** One condition; `type` says how the field is read and with what it is compared. */
export type FilterTerm =
  | {
    readonly type: "integer";
    readonly field: Field;
    readonly operator: ComparisonOperator;
    readonly value: bigint;
  }
  | {
    readonly type: "float";
    readonly field: Field;
    readonly operator: ComparisonOperator;
    readonly value: number;
  }
  | {
    readonly type: "boolean";
    readonly field: Field;
    readonly operator: "==" | "!=";
    readonly value: boolean;
  }
  /** Order of UTF-16 units. The text is the formatter's if the field has a format. */
  | {
    readonly type: "text";
    readonly field: Field;
    readonly operator: ComparisonOperator;
    readonly value: string;
  }
  /** `pattern` has no state: `test` may be called any number of times. */
  | {
    readonly type: "pattern";
    readonly field: Field;
    readonly operator: "~" | "!~";
    readonly pattern: RegExp;
  };

/** What a filter's values are checked against. */
export interface FilterChecks {
  /** Every name that a format's text may be; undefined where there is no list of them. */
  readonly namesOf?: (format: TextFormat) => readonly string[] | undefined;
}

/** Parses a filter; "" is no condition. Throws: UsageError that names the term. */
export function parseFilter(
  text: string,
  fields: readonly Field[],
  checks: FilterChecks = {},
): FilterTerm[] {
  if (text === "") return [];
  return splitTerms(text).map((term) => typedTerm(parseTerm(term, fields), { fields, checks }));
}

/** True if the record meets all terms. `formatters` must have every filtered field with a format. */
export function matchesFilter(
  terms: readonly FilterTerm[],
  record: RecordBytes,
  formatters: ReadonlyMap<Field, FieldFormatter>,
): boolean {
  return terms.every((term) => {
    const { field } = term;
    switch (term.type) {
      case "integer":
        return compare(readInteger(field, record), term.operator, term.value);
      case "float":
        return compare(readNumber(field, record), term.operator, term.value);
      case "boolean":
        return compare(readField(field, record), term.operator, term.value);
      case "text":
        return compare(readText(field, record, formatters), term.operator, term.value);
      case "pattern":
        return term.pattern.test(readText(field, record, formatters)) === (term.operator === "~");
    }
  });
}

function readText(
  field: Field,
  record: RecordBytes,
  formatters: ReadonlyMap<Field, FieldFormatter>,
): string {
  if (field.format === undefined) return String(readField(field, record));
  const formatter = formatters.get(field);
  if (formatter === undefined) throw new Error(`BUG: no formatter for the field ${field.name}`);
  return formatter(record);
}

function compare<T>(left: T, operator: ComparisonOperator, right: T): boolean {
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case ">=":
      return left >= right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case "<":
      return left < right;
  }
}

/** Only `\,` is an escape: other backslashes belong to regular expressions. */
function splitTerms(text: string): string[] {
  return text.split(/(?<!\\),/).map((term) => term.replaceAll("\\,", ","));
}

interface ParsedTerm {
  readonly text: string;
  readonly field: Field;
  readonly operator: ComparisonOperator | "~" | "!~";
  readonly value: string;
}

function parseTerm(text: string, fields: readonly Field[]): ParsedTerm {
  const parts = /^([^=!<>~]+)(==|!=|!~|>=|<=|=|>|<|~)(.*)$/s.exec(text);
  if (parts === null) {
    throw new UsageError(`Filter ${quote(text)}: wanted a field, an operator and a value`, {
      hint: "operators are == != >= <= > < ~ !~; write \\, for a comma within a value",
    });
  }
  const [, name, operator, rest] = parts;
  refuseForeignOperator(text, operator + rest);
  return {
    text,
    field: findField(name.trim(), { text, fields }),
    operator: operator === "=" ? "==" : operator as ParsedTerm["operator"],
    value: rest.trim(),
  };
}

/** What other languages have for an operator, and what it is here. */
const FOREIGN_OPERATORS = [["===", "=="], ["=~", "~"], ["=>", ">="], ["=<", "<="], ["~=", "~"]];

/** Else the rest of the operator would be part of the value, and nothing would ever match. */
function refuseForeignOperator(text: string, operatorAndValue: string): void {
  for (const [foreign, own] of FOREIGN_OPERATORS) {
    if (!operatorAndValue.startsWith(foreign)) continue;
    throw new UsageError(`Filter ${quote(text)}: there is no operator ${foreign}`, {
      hint: `write ${own}`,
    });
  }
}

function findField(name: string, at: { text: string; fields: readonly Field[] }): Field {
  const found = fieldsNamed(name, at.fields);
  if (found.length === 1) return found[0];
  if (found.length > 1) {
    const names = found.map((field) => field.name).join(" or ");
    throw new UsageError(`Filter ${quote(at.text)}: ${quote(name)} may be ${names}`, {
      hint: "give the full name",
    });
  }
  throw new UsageError(`Filter ${quote(at.text)}: no field ${quote(name)}`, {
    hint: suggest(name, at.fields.map((field) => field.name)),
  });
}

function suggest(name: string, known: readonly string[]): string {
  if (known.length === 0) return "there is none to choose from";
  const all = known.slice(0, 40).join(", ") + (known.length > 40 ? ", …" : "");
  return `did you mean ${quote(closestName(name, known))}? There are: ${all}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

interface TermContext {
  readonly fields: readonly Field[];
  readonly checks: FilterChecks;
}

function typedTerm(term: ParsedTerm, context: TermContext): FilterTerm {
  const { field, operator, value } = term;
  const isText = field.format !== undefined || field.kind === "cstring";
  if (field.arrayLength > 0 || (field.kind === "bytes" && !isText)) {
    throw termError(
      term,
      `${field.arrayLength > 0 ? "an array" : "raw bytes"} cannot be filtered`,
      "filter by a field that is one number or text",
    );
  }
  if (operator === "~" || operator === "!~") {
    if (!isText) {
      throw termError(term, "regular expressions need a text field", "compare it: == != >= <= > <");
    }
    return { type: "pattern", field, operator, pattern: parsePattern(term) };
  }
  if (field.format !== undefined) {
    return formattedTerm(term, { format: field.format, operator, checks: context.checks });
  }
  switch (field.kind) {
    case "cstring":
    case "bytes":
      return { type: "text", field, operator, value };
    case "bool":
      return booleanTerm(term, operator);
    case "float32":
    case "float64":
      return { type: "float", field, operator, value: parseFloatValue(term) };
    default: {
      const integer = parseInteger(value);
      if (integer === undefined) {
        throw termError(term, "wanted an integer", integerHint(term, context.fields));
      }
      return { type: "integer", field, operator, value: integer };
    }
  }
}

/** A name belongs to the text field of the same bytes, if there is one. */
function integerHint({ field, operator, value }: ParsedTerm, fields: readonly Field[]): string {
  if (hasConjunction(value)) return CONJUNCTION_HINT;
  const text = fields.find((other) =>
    other.format !== undefined && other.kind === field.kind && other.segment === field.segment &&
    other.offsetBytes === field.offsetBytes && other.bitOffset === field.bitOffset
  );
  return text === undefined || value === ""
    ? "give a number"
    : `give a number, or compare the name: ${text.name}${operator}${value}`;
}

function formattedTerm(
  term: ParsedTerm,
  options: { format: TextFormat; operator: ComparisonOperator; checks: FilterChecks },
): FilterTerm {
  const { field, value } = term;
  const { format, operator, checks } = options;
  const integer = field.kind === "bytes" ? undefined : parseInteger(value);
  if (integer !== undefined) return { type: "integer", field, operator, value: integer };
  if (format.type !== "enum" || format.isSet) {
    if (operator === "==" || operator === "!=") requireName(term, checks.namesOf?.(format));
    return { type: "text", field, operator, value };
  }
  const enumerator = format.enumerators.find(({ name }) => name === value);
  if (enumerator !== undefined) {
    return { type: "integer", field, operator, value: enumerator.value };
  }
  throw termError(
    term,
    `no enumerator ${quote(value)}`,
    suggest(value, format.enumerators.map(({ name }) => name)),
  );
}

/** The text is one of the names, that of a number without a name, or empty. */
function requireName(term: ParsedTerm, names: readonly string[] | undefined): void {
  const { value } = term;
  if (names === undefined || value === "" || /[#_]-?\d+$/.test(value) || names.includes(value)) {
    return;
  }
  throw termError(
    term,
    `no such name ${quote(value)}`,
    hasConjunction(value) ? CONJUNCTION_HINT : suggest(value, names),
  );
}

function booleanTerm(term: ParsedTerm, operator: ComparisonOperator): FilterTerm {
  if (operator !== "==" && operator !== "!=") {
    throw termError(term, "a bool has no order", "operators of a bool are == and !=");
  }
  const text = term.value.trim().toLowerCase();
  if (!["true", "false", "1", "0"].includes(text)) {
    throw termError(term, "wanted true or false", `for example ${term.field.name}==true`);
  }
  return { type: "boolean", field: term.field, operator, value: text === "true" || text === "1" };
}

/** Decimal, `0x`, `0o` or `0b`, with a sign; exact whatever the width. */
function parseInteger(text: string): bigint | undefined {
  const parts = /^\s*([+-]?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)\s*$/i.exec(text);
  if (parts === null) return undefined;
  const value = BigInt(parts[2]);
  return parts[1] === "-" ? -value : value;
}

function parseFloatValue(term: ParsedTerm): number {
  const value = Number(term.value);
  if (term.value.trim() === "" || Number.isNaN(value)) {
    throw termError(term, "wanted a number", `for example ${term.field.name}>=1.5`);
  }
  // 0.1 must equal the field that holds the nearest float to 0.1.
  return term.field.kind === "float32" ? Math.fround(value) : value;
}

/** A leading `(?i)`, as in Go, becomes the flag. */
function parsePattern(term: ParsedTerm): RegExp {
  const parts = /^\(\?([ims]+)\)/.exec(term.value);
  const source = parts === null ? term.value : term.value.slice(parts[0].length);
  try {
    return new RegExp(source, parts?.[1]);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw termError(
      term,
      error.message,
      "patterns are JavaScript's; a backslash takes a special letter as it is",
    );
  }
}

const CONJUNCTION_HINT = "a comma between conditions means and; there is no or";

/** True for a value in which somebody wrote a second condition. */
function hasConjunction(value: string): boolean {
  return /&&|\|\||\s(and|or)\s/i.test(value);
}

function termError(term: ParsedTerm, what: string, hint: string): UsageError {
  const { field } = term;
  const kind = field.format === undefined ? field.kind : `${field.kind} as ${field.format.type}`;
  return new UsageError(`Filter ${quote(term.text)}: ${what}; field ${field.name} is ${kind}`, {
    hint,
  });
}
