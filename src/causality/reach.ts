import type { ImageShape, Place } from '../image-model/place';
import { getMask } from '../mask';
import { type ConvArgs, indexOf, kernelShape, type Node } from '../program/program';
import { sources } from '../program/steps';
import type { TracedModel } from '../program/trace';

/**
 * The values that the logits of a place can be made of, by the graph and its masks, whatever the weights:
 * [H*W*C], 1 where one is.
 *
 * Goes through the program from the logits back to the image. A feature that is needed at a pixel needs what
 * it is made of: of the same pixel, or of the window that its convolution leaves unmasked.
 */
export function reach(
  { program: { nodes }, logits }: TracedModel,
  [height, width]: ImageShape,
  [row, column, channel]: Place,
  levels: number,
): Uint8Array {
  const pixels = height * width;
  const needed = nodes.map(({ size }) => new Uint8Array(pixels * size)); // [H,W,F] each
  const first = (row * width + column) * logits.size + channel * levels;
  needed[indexOf(logits)]?.fill(1, first, first + levels);
  const of = (operand: number) => needed[operand] as Uint8Array;
  for (const [index, node] of [...nodes.entries()].reverse()) {
    if (node.op === 'conv') needOfConv(node, of(index), of(node.input), [height, width]);
    else if (node.op !== 'image' && node.op !== 'condition') {
      for (const [feature, all] of sources(nodes, node).entries()) {
        for (let pixel = 0; pixel < pixels; pixel++) {
          if (of(index)[pixel * node.size + feature] === 0) continue;
          for (const [operand, source] of all) of(operand)[pixel * sizeOf(nodes, operand) + source] = 1;
        }
      }
    }
  }
  return of(nodes.findIndex(({ op }) => op === 'image'));
}

const sizeOf = (nodes: readonly Node[], index: number) => nodes[index]?.size as number;

/** Marks the inputs [H,W,in] that a convolution sees for the outputs [H,W,out] which are needed. */
function needOfConv(
  { args, size: featuresOut }: Extract<Node, { op: 'conv' }>,
  outputs: Uint8Array,
  inputs: Uint8Array,
  [height, width]: readonly [number, number],
): void {
  const [rows, columns, featuresIn] = kernelShape(args);
  const tapsOf = tapsByNeed(args);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const need = outputs.subarray(pixel * featuresOut, (pixel + 1) * featuresOut);
    if (!need.includes(1)) continue;
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    for (const { tap, features } of tapsOf(need)) {
      const y = row + Math.floor(tap / columns) - (rows >> 1);
      const x = column + (tap % columns) - (columns >> 1);
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      for (const feature of features) inputs[(y * width + x) * featuresIn + feature] = 1;
    }
  }
}

/**
 * For the outputs of a pixel that are needed [out], of each tap of the kernel the inputs that one of them
 * sees; the same needs come at many pixels.
 */
function tapsByNeed(args: ConvArgs): (need: Uint8Array) => readonly { tap: number; features: number[] }[] {
  const [rows, columns, featuresIn, featuresOut] = kernelShape(args);
  const { values } = getMask({ ...args, kernelSize: [rows, columns], featuresIn, featuresOut });
  const known = new Map<string, { tap: number; features: number[] }[]>();
  return (need) => {
    const key = need.join('');
    const before = known.get(key);
    if (before !== undefined) return before;
    const sees = (tap: number, input: number) => {
      const first = (tap * featuresIn + input) * featuresOut;
      return need.some((isNeeded, output) => isNeeded === 1 && values[first + output] === 1);
    };
    const inputs = Array.from({ length: featuresIn }, (_, input) => input);
    const taps = Array.from({ length: rows * columns }, (_, tap) => ({
      tap,
      features: inputs.filter((input) => sees(tap, input)),
    })).filter(({ features }) => features.length > 0);
    known.set(key, taps);
    return taps;
  };
}
