/** Bits per dimension of models that see no neighbours: what a PixelCNN has to beat. */

/**
 * All levels alike.
 *
 * @param {number} levels
 * @returns {number}
 */
export function uniformBits(levels) {
  return Math.log2(levels);
}

/**
 * Every pixel drawn from the frequencies of the levels in the training set; one is added to each count, so that a level
 * that the training set lacks costs much, but not infinitely much.
 *
 * @param {Uint8Array} train
 * @param {Uint8Array} test
 * @param {number} levels
 * @returns {number}
 */
export function histogramBits(train, test, levels) {
  const counts = new Array(levels).fill(1);
  for (const level of train) counts[level] += 1;
  const total = train.length + levels;
  let bits = 0;
  for (const level of test) bits -= Math.log2(counts[level] / total);
  return bits / test.length;
}
