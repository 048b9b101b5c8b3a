import { numbers } from '../../conformance/conformance.mjs';

/**
 * A small residual PixelCNN written by hand as plain data, with weights at random, the same in every engine: for tests and
 * measurements of the runtime, where no tfjs is.
 *
 * @param {{ imageShape?: [number | null, number | null, number], levels?: number, features?: number, blocks?: number, numClasses?: number, mapSize?: number }} [shape]
 * `features` is a multiple of the image's channels
 * @returns {import('../../../src/runtime/program/program').PortableModel}
 */
export function portableModel({ imageShape = [6, 5, 2], levels = 5, features = 8, blocks = 1, numClasses = 0, mapSize = 0 } = {}) {
  const channels = imageShape[2];
  const uniforms = numbers();
  const nodes = [{ op: 'image', size: channels }];
  const weights = new Map();
  const node = (made) => nodes.push(made) - 1;
  const weight = (name, shape, scale) => {
    const size = shape.reduce((product, length) => product * length, 1);
    weights.set(name, { shape, data: Float32Array.from({ length: size }, () => scale * uniforms()) });
    return name;
  };
  const conv = (name, input, side, present, size) => {
    const middle = side >> 1;
    const sizeIn = nodes[input].size;
    const kernel = weight(`${name}.kernel`, [side, side, sizeIn, size], 3 / Math.sqrt(side * side * sizeIn));
    const bias = weight(`${name}.bias`, [size], 0.5);
    const window = {
      kernelSize: [side, side],
      anchor: [middle, middle],
      present,
      imageChannels: present === 'everything' ? 1 : channels,
      stride: 1,
      transposed: false,
    };
    return node({ op: 'conv', size, input, kernel, bias, window });
  };
  const relu = (input) => node({ op: 'pointwise', size: nodes[input].size, input, fn: 'relu', parameter: 0 });
  const sum = (...inputs) => node({ op: 'add', size: features, inputs });

  let x = conv('first', 0, 5, 'A', features);
  if (numClasses > 0) {
    const label = node({ op: 'condition', size: 1, index: 0 });
    const oneHot = node({ op: 'oneHot', size: numClasses, input: label });
    x = sum(x, conv('class', oneHot, 1, 'everything', features));
  }
  if (mapSize > 0) {
    const map = node({ op: 'condition', size: mapSize, index: numClasses > 0 ? 1 : 0 });
    x = sum(x, conv('map', map, 1, 'everything', features));
  }
  for (let i = 0; i < blocks; i++) x = sum(x, conv(`block${i}`, relu(x), 3, 'B', features));
  const output = conv('logits', relu(x), 1, 'B', channels * levels);
  const conditions = [...(numClasses > 0 ? [{ kind: 'class', numClasses }] : []), ...(mapSize > 0 ? [{ kind: 'map', size: mapSize }] : [])];
  return { nodes, output, imageShape, levels, conditions, weights };
}
