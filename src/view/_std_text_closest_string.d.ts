/** Types of the part of `@std/text` used here; the npm package has none. */

export function closestString(givenWord: string, possibleWords: readonly string[]): string;
