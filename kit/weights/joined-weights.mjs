/**
 * Tensors of a GPT's checkpoint that are weights of an `imageGPT`, but not one to one: queries, keys and values side by
 * side, the start token as the last row of the table of levels, or the places of an image in a row.
 *
 * @typedef {import('pixelcnn-layers/weights').NamedTensor} NamedTensor
 */

import { inProgramOrder } from './weight-names.mjs';

const ATTENTION = ['query', 'key', 'value'];

/**
 * @param {ReadonlyMap<string, NamedTensor>} tensors those that may be weights
 * @param {ReadonlyMap<string, NamedTensor>} weights of the network, as `saveWeights` gives them
 * @returns {Map<string, { name: string, words: string }>} by weight: the tensor that holds it, and where it lies there
 */
export function joinedWeights(tensors, weights) {
  const found = new Map();
  const free = inProgramOrder(tensors);
  /** Takes the next tensor that has one of some shapes. */
  const take = (shapes, isRight = () => true) => {
    const isFound = (name) => shapes.some((shape) => isShape(tensors.get(name), shape)) && isRight(name);
    const index = free.findIndex(isFound);
    return index < 0 ? undefined : free.splice(index, 1)[0];
  };
  for (const query of [...weights.keys()].filter((name) => name.endsWith('.query.kernel'))) {
    const three = ATTENTION.map((part) => query.replace('query', part));
    const [inputs, features] = weights.get(query).shape.slice(-2);
    const areAlike = three.every((name) => isShape(weights.get(name), [1, 1, features, features]));
    const isAnother = [...weights.values()].some(({ shape }) => sizeOf(shape) === 3 * inputs * features);
    if (!areAlike || isAnother) continue;
    const kernels = take([[3 * features, features], [features, 3 * features]]); // biome-ignore format: one line
    if (kernels === undefined) continue;
    const biases = take([[3 * features]]);
    for (const [i, kernel] of three.entries()) {
      const words = `${['first', 'second', 'last'][i]} third`;
      found.set(kernel, { name: kernels, words });
      if (biases !== undefined) found.set(kernel.replace(/kernel$/, 'bias'), { name: biases, words });
    }
  }
  const isTable = (name) => !tensors.has(name.replace(/weight$/, 'bias')); // a linear layer of that shape has a bias
  const [levels, places] = ['levels', 'places'].map((layer) => weights.get(`${layer}.embeddings`));
  if (levels && weights.has('shift.start')) {
    const [rows, features] = levels.shape;
    const name = take([[rows + 1, features]], isTable);
    if (name !== undefined) {
      found.set('levels.embeddings', { name, words: 'all rows but the last' });
      found.set('shift.start', { name, words: 'the last row' });
    }
  }
  if (places) {
    const [height, width, features] = places.shape;
    const name = take([[height * width, features]], isTable);
    if (name !== undefined) found.set('places.embeddings', { name, words: 'places row by row' });
  }
  return found;
}

const isShape = (tensor, wanted) => String(tensor?.shape) === String(wanted);
const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);
