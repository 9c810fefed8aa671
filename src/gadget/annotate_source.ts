/** Merges annotations into a data source, in the order of their precedence. */

import { type Field, findTemplate } from "../decode/mod.ts";
import type { AnnotationEntry } from "./annotation_entry.ts";
import { checkAnnotation } from "./annotation_keys.ts";
import { type AnnotationSubject, findField } from "./annotation_subject.ts";
import type { Annotations, DataSourceSpec } from "./spec.ts";
import { applyTextAnnotation } from "./text_targets.ts";

/**
 * Merges what `subjects` say about `source`; later subjects win. A field's annotations are, lowest
 * first: what its C type brings, its `template`, and what was written.
 *
 * Throws: FormatError or UsageError for unknown fields, keys, and values.
 */
export function annotateSource(
  source: DataSourceSpec,
  subjects: readonly AnnotationSubject[],
  warnings: string[],
): DataSourceSpec {
  const checked = subjects.map((subject) => ({
    ...subject,
    annotations: subject.annotations.map((entry) => checkEntry(entry, warnings)),
  }));
  const fields = applyTextAnnotations(source, checked, warnings);
  const own = checked.filter((subject) => subject.field === undefined);
  const byField = groupByField({ name: source.name, fields }, checked, warnings);
  return {
    ...source,
    annotations: { ...source.annotations, ...mergedAnnotations(own) },
    tags: mergedTags(source.tags, own),
    fields: fields.map((field) => annotateField(field, byField.get(field.name) ?? [])),
  };
}

function annotateField(field: Field, subjects: readonly AnnotationSubject[]): Field {
  if (subjects.length === 0) return field;
  const written = mergedAnnotations(subjects);
  const annotations = {
    ...field.annotations,
    ...(written.template !== undefined ? findTemplate(written.template) : {}),
    ...written,
  };
  return {
    ...field,
    annotations,
    tags: mergedTags(field.tags, subjects),
    hidden: annotations["columns.hidden"] === "true",
  };
}

function checkEntry(entry: AnnotationEntry, warnings: string[]): AnnotationEntry {
  const { value, warning } = checkAnnotation(entry);
  if (warning !== undefined) warnings.push(warning);
  return { ...entry, value };
}

/** Names of text fields first: other annotations may speak of them. */
function applyTextAnnotations(
  source: DataSourceSpec,
  subjects: readonly AnnotationSubject[],
  warnings: string[],
): readonly Field[] {
  let fields = source.fields;
  for (const { field: name, place, annotations } of subjects) {
    for (const entry of annotations) {
      const isText = /^(formatters|uidgidresolver|ebpf\.formatter)\./.test(entry.key);
      if (name === undefined || !isText) continue;
      const field = findField({ name: source.name, fields }, { field: name, place }, warnings);
      if (field !== undefined) fields = applyTextAnnotation(fields, { field, entry, warnings });
    }
  }
  return fields;
}

function groupByField(
  source: Pick<DataSourceSpec, "name" | "fields">,
  subjects: readonly AnnotationSubject[],
  warnings: string[],
): Map<string, AnnotationSubject[]> {
  const groups = new Map<string, AnnotationSubject[]>();
  for (const subject of subjects) {
    if (subject.field === undefined) continue;
    const { field: name, place } = subject;
    const field = findField(source, { field: name, place }, warnings);
    if (field === undefined) continue;
    groups.set(field.name, [...groups.get(field.name) ?? [], subject]);
  }
  return groups;
}

function mergedAnnotations(subjects: readonly AnnotationSubject[]): Annotations {
  return Object.fromEntries(
    subjects.flatMap(({ annotations }) => annotations.map(({ key, value }) => [key, value])),
  );
}

function mergedTags(
  tags: readonly string[],
  subjects: readonly AnnotationSubject[],
): readonly string[] {
  return [...new Set([...tags, ...subjects.flatMap((subject) => subject.tags)])];
}
