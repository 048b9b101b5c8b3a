/** @param {ArrayLike<number>} xs */
export function sum(xs) {
  return Array.from(xs).reduce((total, x) => total + x, 0);
}

/** @param {ArrayLike<number>} xs */
export function mean(xs) {
  return sum(xs) / xs.length;
}

/** The standard error of a mean. @param {ArrayLike<number>} xs */
export function standardError(xs) {
  const center = mean(xs);
  const squares = Array.from(xs, (x) => (x - center) ** 2);
  return Math.sqrt(sum(squares) / (xs.length * (xs.length - 1)));
}

/** The logarithm of the mean of e^x. @param {ArrayLike<number>} xs */
export function logMeanExp(xs) {
  const most = Math.max(...Array.from(xs));
  return most + Math.log(mean(Array.from(xs, (x) => Math.exp(x - most))));
}

/**
 * The sum over the places of each image that are wanted.
 *
 * @param {ArrayLike<number>} values of each place, one image after the other
 * @param {number} size places of an image
 * @param {(place: number) => boolean} [isWanted]
 * @returns {number[]} [N]
 */
export function sumByImage(values, size, isWanted = () => true) {
  const sums = new Array(values.length / size).fill(0);
  for (let i = 0; i < values.length; i++) if (isWanted(i % size)) sums[Math.floor(i / size)] += values[i];
  return sums;
}
