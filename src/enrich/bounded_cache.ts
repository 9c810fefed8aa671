/** A cache that cannot grow without end, whatever values strangers send. */

/**
 * Wraps `compute` with a memory of at most `capacity` results.
 *
 * When it is full it starts anew: in steady state few values recur, and that costs no bookkeeping per hit.
 */
export function cached<K, V>(compute: (key: K) => V, capacity = 4096): (key: K) => V {
  const results = new Map<K, V>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = compute(key);
    if (results.size >= capacity) results.clear();
    results.set(key, result);
    return result;
  };
}
