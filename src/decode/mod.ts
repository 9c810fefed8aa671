/** Decoding: C type → fields → values. Pure. */

export type {
  Enumerator,
  Field,
  FieldFormatter,
  FieldKind,
  FieldValue,
  IntegerKind,
  RecordBytes,
  TextFormat,
} from "./field.ts";
export { type DerivedFields, deriveFields, type DeriveOptions } from "./derive_fields.ts";
export { hideField, splitTextField, textFieldName } from "./text_fields.ts";
export { type FieldAnnotations, findTemplate, templateNames } from "./templates.ts";
export {
  keyWordCount,
  keyWordsReader,
  readField,
  readInteger,
  readKeyWords,
  readNumber,
} from "./interpret.ts";
export {
  type ComparisonOperator,
  type FilterChecks,
  type FilterTerm,
  matchesFilter,
  parseFilter,
} from "./filter.ts";
export {
  CodeWriter,
  commentName,
  elementSizeBytes,
  emitBigInt,
  emitHash,
  emitKeyWords,
  emitNumber,
  emitUint,
  emitWord,
  emitWordPair,
  hashWords,
  isFloatKind,
  isNumericKind,
  isSignedKind,
  type KeyTarget,
  MAX_UNROLLED_WORDS,
  type SegmentVariables,
  type WordPair,
} from "./codegen.ts";
export { bytesToHex, shortestFloat32, valueToText } from "./value_text.ts";
export { closestName, fieldsNamed, leafName } from "./named_field.ts";
