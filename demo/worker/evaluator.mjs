/** Whether a window of this kind sees the pixel so many rows below and columns to the right of its own; negative above and to the left. */
export function isSeen(present, down, right) {
  if (down !== 0) return down < 0;
  return (
    present === 'everything' || (present !== 'nothing' && (right < 0 || (right === 0 && present === 'B')))
  );
}

/**
 * A gated network of one-channel images in plain loops, to look into: it computes any node at any pixel, and what that takes, once. Levels that are
 * NaN are not known yet, and NaN is all that depends on them.
 *
 * @param {import('pixelcnn-layers/runtime').PortableModel} model
 * @param {ArrayLike<number>} image levels
 * @param {number[]} condition a class as one number, or a vector
 * @returns {{ at: (node: number, place: number) => number[], values: number[][][] }} `values[node][place]` are those computed so far
 */
export function evaluator({ nodes, weights, imageShape, levels, distribution }, image, condition) {
  const [height, width, channels] = imageShape;
  if (channels !== 1 || distribution !== undefined) refuse('other outputs than a softmax of one channel');
  const values = nodes.map(() => []);
  const operations = {
    image: (_, place) => [image[place] / (levels - 1)],
    condition: () => condition,
    oneHot: ({ input, size }, place) => times(size, (i) => Number(i === at(input, place)[0])),
    add: ({ inputs, size }, place) =>
      times(size, (i) => inputs.reduce((sum, input) => sum + at(input, place)[i], 0)),
    gate({ input, size }, place) {
      const x = at(input, place);
      return times(size, (i) => Math.tanh(x[i]) * sigmoid(x[size + i]));
    },
    pointwise({ input, fn }, place) {
      if (fn !== 'relu') refuse(fn);
      return at(input, place).map((x) => Math.max(0, x));
    },
    conv({ input, kernel, bias, window, size }, place) {
      const { kernelSize, anchor, present } = window;
      if (window.stride > 1 || present === 'everythingAndBelow')
        refuse(`such a conv: ${JSON.stringify(window)}`);
      const sums = bias === null ? times(size, () => 0) : [...weights.get(bias).data];
      const { data } = weights.get(kernel);
      for (let tap = 0; tap < kernelSize[0] * kernelSize[1]; tap++) {
        const [down, right] = [
          Math.floor(tap / kernelSize[1]) - anchor[0],
          (tap % kernelSize[1]) - anchor[1],
        ];
        const [row, column] = [Math.floor(place / width) + down, (place % width) + right];
        if (!isSeen(present, down, right)) continue;
        if (row < 0 || row >= height || column < 0 || column >= width) continue; // zeros are around the image
        const x = at(input, row * width + column);
        for (let i = 0; i < x.length; i++) {
          const first = (tap * x.length + i) * size;
          for (let o = 0; o < size; o++) sums[o] += x[i] * data[first + o];
        }
      }
      return sums;
    },
  };
  function at(node, place) {
    const { op } = nodes[node];
    values[node][place] ??= (operations[op] ?? refuse(op))(nodes[node], place);
    return values[node][place];
  }
  return { at, values };
}

const times = (size, of) => Array.from({ length: size }, (_, i) => of(i));

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** The chances of levels with these logits. */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

function refuse(what) {
  throw new Error(`A network with ${what} cannot be looked into`);
}
