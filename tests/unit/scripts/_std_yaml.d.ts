/** Types of the part of `@std/yaml` used here; the npm package has none. */

/** The values of all documents. */
export function parseAll(content: string): unknown[];
