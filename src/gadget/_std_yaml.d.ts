/** The part of `@std/yaml` that kmeter uses. */
export function parse(
  content: string,
  options?: { readonly schema?: "core" | "default" | "failsafe" | "json" | "extended" },
): unknown;
