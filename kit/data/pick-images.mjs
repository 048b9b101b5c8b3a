/**
 * Some images of a set, with their labels.
 *
 * @typedef {import('pixelcnn-layers/data').ImageSet} ImageSet
 *
 * @param {ImageSet} set [N,H,W,C]
 * @param {number[]} indices
 * @returns {ImageSet} [n,H,W,C], in the order of the indices
 */
export function pickImages({ data, shape: [count, ...imageShape], levels, labels }, indices) {
  const size = data.length / count;
  const picked = data.slice(0, indices.length * size); // of its type; all of it is overwritten
  for (const [to, from] of indices.entries()) {
    picked.set(data.subarray(from * size, (from + 1) * size), to * size);
  }
  return {
    data: picked,
    shape: [indices.length, ...imageShape],
    levels,
    ...(labels && { labels: labels.constructor.from(indices, (i) => labels[i]) }),
  };
}
