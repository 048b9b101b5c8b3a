import * as tfl from '@tensorflow/tfjs-layers';

/**
 * The horizontal features of Gated PixelCNN before its head. apply(x, arguments, mask) convolves. No stock layer splits features, so that the halves of a
 * gate, each [N,H,W,F], are made by a convolution each.
 */
export function gatedStack(image, { hiddenDim, numBlocks, firstKernelSize }, apply) {
  const filters = hiddenDim * image.shape[3];
  const halves = (x, args, mask) => [0, 1].map(() => apply(x, { filters, ...args }, mask));
  let [vertical, horizontal] = [image, image];
  for (let block = 0; block <= numBlocks; block++) {
    const [n, maskType] = block === 0 ? [firstKernelSize, 'A'] : [3, 'B'];
    const v = halves(vertical, { kernelSize: n }, { maskType, vertical: true, imageChannels: 1 });
    const across = halves(concatenate(v), { useBias: false }, { imageChannels: 1 });
    const h = halves(horizontal, { kernelSize: [1, n] }, { maskType });
    const y = apply(gate(h.map((half, i) => add(half, across[i]))), { filters });
    horizontal = block === 0 ? y : add(horizontal, y);
    if (block < numBlocks) vertical = gate(v); // nobody reads the last one
  }
  return horizontal;
}

const add = (...terms) => tfl.layers.add().apply(terms);
const concatenate = (parts) => tfl.layers.concatenate().apply(parts);
const activate = (x, activation) => tfl.layers.activation({ activation }).apply(x);
const gate = ([a, b]) => tfl.layers.multiply().apply([activate(a, 'tanh'), activate(b, 'sigmoid')]);
