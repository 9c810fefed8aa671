/** An answer that all who ask within a while share, so that many browsers cost as much as one. */

/** For who asks sooner the answer is not made anew. */
const MIN_KEEP_MS = 1000;
/** Making answers takes at most a tenth of the time. */
const KEEP_PER_COST = 10;

/**
 * Shares what `make` resolves with, for a second since it began, and longer if it took long to make. A
 * failure is not kept.
 */
export function sharedAnswer<T>(
  make: () => Promise<T>,
  nowMs = () => performance.now(),
): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let keepUntilMs = 0;
  const makeAnew = async () => {
    const startMs = nowMs();
    try {
      return await make();
    } catch (error) {
      answer = undefined;
      throw error;
    } finally {
      const costMs = nowMs() - startMs;
      keepUntilMs = startMs + Math.max(MIN_KEEP_MS, KEEP_PER_COST * costMs);
    }
  };
  return () => {
    if (answer === undefined || nowMs() >= keepUntilMs) {
      keepUntilMs = Infinity;
      answer = makeAnew();
    }
    return answer;
  };
}
