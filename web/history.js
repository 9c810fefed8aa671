// @ts-check
/** What was seen in the last minutes: the server tells only the present. */

/** How far back the page remembers, in seconds. */
const SPAN_SECONDS = 300;
/** What is shown at least: a few points over all the width would say nothing. */
const MIN_SPAN_SECONDS = 60;

/**
 * A value at a moment, in seconds since kmeter began.
 * @template T
 * @typedef {{ readonly at: number, readonly value: T }} Point
 */

/**
 * How fast something grew between two moments.
 * @template T
 * @typedef {{ readonly from: number, readonly to: number, readonly value: T }} Rate
 */

/**
 * What is remembered, the moment that is shown, and how far back from there.
 * @typedef {{ readonly history: History, readonly now: number, readonly spanSeconds: number }} Look
 */

/**
 * @param {History} history
 * @param {{ readonly now: number, readonly since: number }} times when the page first looked
 * @returns {Look}
 */
export function lookBack(history, { now, since }) {
  const spanSeconds = Math.min(Math.max(now - since, MIN_SPAN_SECONDS), SPAN_SECONDS);
  return { history, now, spanSeconds };
}

/** Values by key. A histogram's values are its counts. */
export class History {
  /** @type {Map<string, Point<readonly number[]>[]>} */
  #points = new Map();

  /**
   * @param {string} key
   * @param {number} at
   * @param {readonly number[]} value
   */
  add(key, at, value) {
    const points = this.#points.get(key) ?? [];
    this.#points.set(key, points);
    points.push({ at, value });
    // One from before the span stays: the first rate needs it.
    while (points.length > 2 && points[1].at < at - SPAN_SECONDS) points.shift();
  }

  /**
   * Counters only grow: one that fell has begun anew, and so does its history.
   * @param {string} key
   * @param {number} at
   * @param {readonly number[]} value
   */
  addCounts(key, at, value) {
    const last = this.#points.get(key)?.at(-1);
    if (last !== undefined && value.some((count, i) => count < last.value[i])) {
      this.#points.delete(key);
    }
    this.add(key, at, value);
  }

  /**
   * @param {string} key
   * @returns {readonly Point<readonly number[]>[]}
   */
  points(key) {
    return this.#points.get(key) ?? [];
  }

  /** Growth per second of each value. @param {string} key @returns {Rate<number[]>[]} */
  rates(key) {
    const points = this.points(key);
    return points.slice(1).map(({ at, value }, i) => {
      const before = points[i];
      const seconds = at - before.at;
      const rates = value.map((count, j) => (count - before.value[j]) / seconds);
      return { from: before.at, to: at, value: rates };
    });
  }

  /** Forgets what was not seen for as long as the page remembers. @param {number} now */
  forgetOld(now) {
    for (const [key, points] of this.#points) {
      const last = points.at(-1);
      if (last === undefined || last.at < now - SPAN_SECONDS) this.#points.delete(key);
    }
  }

  clear() {
    this.#points.clear();
  }
}
