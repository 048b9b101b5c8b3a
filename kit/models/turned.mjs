/**
 * Images in an orientation, by its number, as `symmetric` applies it: transposed first, then flipped.
 *
 * @template {{ data: Uint8Array | Uint16Array, shape: readonly number[] }} Images of one channel
 * @param {Images} images [N,H,W,1]
 * @param {number} element its bits say whether rows are flipped, columns are, and both are exchanged
 * @returns {Images}
 */
export function turned(images, element) {
  const [, height, width] = images.shape;
  const size = height * width;
  const data = images.data.map((_, i, data) => {
    let [row, column] = [Math.floor((i % size) / width), i % width];
    if (element & 1) row = height - 1 - row;
    if (element & 2) column = width - 1 - column;
    return data[i - (i % size) + (element & 4 ? column * width + row : row * width + column)];
  });
  return { ...images, data };
}
