/** Numbers of things. */

/** `1 gadget`, `2 gadgets`. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
