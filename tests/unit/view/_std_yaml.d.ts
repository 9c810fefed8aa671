/** Types of the part of `@std/yaml` used by the tests; the npm package has none. */

/** The tests only read documents that are objects. */
export function parse(content: string): Readonly<Record<string, unknown>>;
