/** Bits per dimension of models that see no neighbours, which a PixelCNN must beat. */

/**
 * The uniform model.
 *
 * @param {number} levels
 * @returns {number}
 */
export function uniformBits(levels) {
  return Math.log2(levels);
}

/**
 * A model that draws every value by the frequencies of levels in its channel of the training set. One is
 * added to each count, so that levels that the training set lacks cost much, but not infinitely much.
 *
 * @param {ArrayLike<number>} train levels, channel after channel of each pixel
 * @param {ArrayLike<number>} test
 * @param {number} levels
 * @param {number} [channels]
 * @returns {number}
 */
export function histogramBits(train, test, levels, channels = 1) {
  const bits = histogramBitsByChannel(train, test, levels, channels);
  return bits.reduce((sum, value) => sum + value, 0) / channels;
}

/**
 * {@link histogramBits} for each channel.
 *
 * @param {ArrayLike<number>} train
 * @param {ArrayLike<number>} test
 * @param {number} levels
 * @param {number} channels
 * @returns {number[]}
 */
export function histogramBitsByChannel(train, test, levels, channels) {
  return Array.from({ length: channels }, (_, channel) => {
    const counts = new Array(levels).fill(1);
    for (let i = channel; i < train.length; i += channels) counts[train[i]] += 1;
    const total = train.length / channels + levels;
    let bits = 0;
    for (let i = channel; i < test.length; i += channels) bits -= Math.log2(counts[test[i]] / total);
    return bits / (test.length / channels);
  });
}
