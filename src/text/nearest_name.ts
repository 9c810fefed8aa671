/** Finds the name a person probably meant, for the suggestions in error messages. */

/** Nobody types more; and the cost grows with the product of the lengths. */
const WORD_MAX_LETTERS = 100;

/**
 * Name of `candidates` nearest to `word`, or `undefined` if none is near: more than a third of the
 * letters differ, or it is very long. Case does not count, swapped neighbours count as one difference.
 */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > WORD_MAX_LETTERS) return undefined;
  const wanted = word.toLowerCase();
  let nearest: string | undefined;
  let nearestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= nearestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** `"a", "b", "c"` for messages, cut after `limit` names; "none" if there are none. */
export function quoteNames(names: Iterable<string>, limit = 20): string {
  const all = [...names];
  if (all.length === 0) return "none";
  const shown = all.slice(0, limit).map((name) => JSON.stringify(name)).join(", ");
  return all.length > limit ? `${shown} and ${all.length - limit} more` : shown;
}

/** Hint of an error about an unknown name: the nearest name if there is one, and all that exist. */
export function suggestName(word: string, candidates: readonly string[], what: string): string {
  const nearest = nearestName(word, candidates) ?? nearestByLastPart(word, candidates);
  const existing = `${what}: ${quoteNames(candidates)}`;
  return nearest === undefined ? existing : `did you mean "${nearest}"? ${existing}`;
}

/** For `pidd`: `proc.pid`, if no other name ends so. */
function nearestByLastPart(word: string, candidates: readonly string[]): string | undefined {
  const lastPart = (name: string) => name.slice(name.lastIndexOf(".") + 1);
  const nearest = nearestName(lastPart(word), candidates.map(lastPart));
  return candidates.find((name) => lastPart(name) === nearest);
}

/** Levenshtein distance that counts a swap of neighbours as one. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let distance = Math.min(
        previous[column] + 1,
        current[column - 1] + 1,
        previous[column - 1] + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1];
      if (isSwap) distance = Math.min(distance, beforePrevious[column - 2] + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length];
}
