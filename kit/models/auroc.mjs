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

/**
 * The standard error of an area, given the numbers of scores: Hanley and McNeil, "The meaning and use of the area under a receiver
 * operating characteristic (ROC) curve" (1982), equation 2, which assumes exponential distributions.
 *
 * @param {number} area
 * @param {number} first of scores of the first kind
 * @param {number} second
 */
export function aurocError(area, first, second) {
  const twoAboveOne = area / (2 - area); // the probability that two of the first kind are above one of the second
  const oneAboveTwo = (2 * area ** 2) / (1 + area);
  const variance = area * (1 - area) + (first - 1) * (twoAboveOne - area ** 2) + (second - 1) * (oneAboveTwo - area ** 2); // biome-ignore format: one line
  return Math.sqrt(variance / (first * second));
}
