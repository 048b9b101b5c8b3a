import type { ImageShape, Place } from '../core/images';
import { isSeen, offsetOfTap, sightOf, type Window } from '../core/window';
import { type Node, type PortableModel, sourcesOf } from './program';

/**
 * The values that those outputs of a pixel which are read can be made of, by the graph and its masks, whatever the
 * weights: [H*W*C], 1 where one is.
 *
 * Goes through the program from the outputs back to the image. A feature that is needed at a pixel needs what
 * it is made of: of the same pixel, or of the window that its convolution leaves unmasked.
 */
export function reach(
  { nodes, output }: Pick<PortableModel, 'nodes' | 'output'>,
  [height, width]: ImageShape,
  [row, column]: Readonly<Place>,
  isRead: (output: number) => boolean,
): Uint8Array {
  const pixels = height * width;
  const needed = nodes.map(({ size }) => new Uint8Array(pixels * size)); // [H,W,F] each
  const { size } = nodes[output] as Node;
  for (let feature = 0; feature < size; feature++) {
    if (isRead(feature)) (needed[output] as Uint8Array)[(row * width + column) * size + feature] = 1;
  }
  const of = (operand: number) => needed[operand] as Uint8Array;
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (node.op === 'conv') {
      needOfConv(node.window, node.size, of(index), of(node.input), [height, width]);
    } else if (node.op !== 'image' && node.op !== 'condition') {
      for (const [feature, all] of sourcesOf(nodes, node).entries()) {
        for (let pixel = 0; pixel < pixels; pixel++) {
          if (of(index)[pixel * node.size + feature] === 0) continue;
          for (const [operand, source] of all) {
            of(operand)[pixel * (nodes[operand] as Node).size + source] = 1;
          }
        }
      }
    }
  }
  return of(0);
}

/** Marks the inputs [H,W,in] that a convolution sees for the outputs [H,W,out] which are needed. */
function needOfConv(
  window: Window,
  featuresOut: number,
  outputs: Uint8Array,
  inputs: Uint8Array,
  [height, width]: readonly [number, number],
): void {
  const featuresIn = inputs.length / (height * width);
  const tapsOf = tapsByNeed(window, featuresIn, featuresOut);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const need = outputs.subarray(pixel * featuresOut, (pixel + 1) * featuresOut);
    if (!need.includes(1)) continue;
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    for (const { offset, features } of tapsOf(need)) {
      const [y, x] = [row + offset[0], column + offset[1]];
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      for (const feature of features) inputs[(y * width + x) * featuresIn + feature] = 1;
    }
  }
}

/** A tap of a kernel, and the features that are seen there. */
interface SeenTap {
  readonly offset: readonly [down: number, right: number];
  readonly features: readonly number[];
}

/**
 * For the outputs of a pixel that are needed [out], of each tap of the kernel the inputs that one of them
 * sees; the same needs come at many pixels.
 */
function tapsByNeed(
  window: Window,
  featuresIn: number,
  featuresOut: number,
): (need: Uint8Array) => readonly SeenTap[] {
  const [rows, columns] = window.kernelSize;
  const channelOf = (feature: number, features: number) =>
    Math.floor((feature * window.imageChannels) / features);
  const inputs = Array.from({ length: featuresIn }, (_, input) => input);
  const known = new Map<string, SeenTap[]>();
  return (need) => {
    const key = need.join('');
    const before = known.get(key);
    if (before !== undefined) return before;
    const channels = [...need.keys()].filter((o) => need[o] === 1).map((o) => channelOf(o, featuresOut));
    const last = Math.max(...channels); // it sees all that the others see
    const taps = Array.from({ length: rows * columns }, (_, tap) => {
      const [row, column] = [Math.floor(tap / columns), tap % columns];
      const sight = sightOf(window, row, column);
      return {
        offset: offsetOfTap(window, row, column),
        features: inputs.filter((input) => isSeen(sight, channelOf(input, featuresIn), last)),
      };
    }).filter(({ features }) => features.length > 0);
    known.set(key, taps);
    return taps;
  };
}
