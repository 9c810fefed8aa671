/** Type of the one function used of `@std/text/closest-string`; the npm package has none. */

/** Throws: TypeError if `possibleWords` is empty. */
export function closestString(givenWord: string, possibleWords: readonly string[]): string;
