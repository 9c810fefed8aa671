/** Types of the part of `@std/yaml` used here; the npm package has none. */

export function stringify(data: unknown, options?: { lineWidth?: number }): string;
