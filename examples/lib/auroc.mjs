/**
 * Area under the receiver operating characteristic: the probability that a score of the first kind is above one of the second, where equal
 * ones count half. 1/2 tells nothing, and 1 tells the kinds apart.
 *
 * @param {ArrayLike<number>} first
 * @param {ArrayLike<number>} second
 */
export function auroc(first, second) {
  const sorted = Float64Array.from(second).sort();
  /** How many of the second kind are below a score, or at most equal to it. */
  const count = (score, isBelow) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isBelow(sorted[middle], score)) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const below = Array.from(first, (score) => count(score, (x, y) => x < y) + count(score, (x, y) => x <= y));
  return below.reduce((sum, twice) => sum + twice / 2, 0) / (first.length * second.length);
}
