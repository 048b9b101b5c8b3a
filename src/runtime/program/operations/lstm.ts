import { integer, oneOf, pair } from '../../core/arguments';
import { checkFeatures, throwTypeError } from '../../core/check';
import { wholeVectors } from '../../kernels/instruction';
import type { Nodes } from '../nodes';
import {
  checkShape,
  type FeatureRange,
  type FieldsAndSize,
  groupsOf,
  oneByOne,
  operation,
  type Read,
  weight,
} from '../operation';
import { checkLayerWeight, kernelShape, type LayerWeight } from '../weights';

const lstmPaths = ['rows', 'fromLeft', 'fromRight'] as const;
/** A path that the state of an LSTM may take over the pixels of an image: see `lstm` of `Ops`. */
export type LSTMPath = (typeof lstmPaths)[number];

const fields = {
  kernel: weight,
  kernelSize: pair(integer({ from: 1 })),
  path: oneOf(...lstmPaths),
  groups: integer({ from: 1 }),
};

export const lstm = operation({
  name: 'lstm',
  operands: 1,
  fields,
  isOfMaps: true,
  size([z], { kernel, kernelSize, path, groups }, what) {
    const [rows, columns] = kernelSize;
    const fits = path === 'rows' ? rows === 1 && columns % 2 === 1 : rows === 2 && columns === 1;
    if (!fits)
      throwTypeError(`${what}: kernelSize`, path === 'rows' ? '[1,k] with k odd' : '[2,1]', kernelSize);
    const gates = checkFeatures(`${what}: input`, z.size, 4 * groups, '4 * groups');
    checkShape(`${what}: kernel`, kernel, [rows, columns, gates / 4, gates]);
    return gates / 4;
  },
  reads: readsOfStates,
  work({ kernelSize: [rows, columns], groups, size }) {
    const padded = groups * wholeVectors(size / groups);
    return rows * columns * padded * 4 * padded + 16 * padded; // stores the gates of each pixel of a row
  },
});

/** The gates and all earlier states that the kernel sees. The forget gate matters only if there is an earlier cell. */
function readsOfStates(node: FieldsAndSize<typeof fields>): Read[] {
  const { path, groups, size } = node;
  const [, columns] = node.kernelSize;
  const all = [0, size] as const;
  const toCell = ({ rows: [-1, 0], fromLeft: [0, -1], fromRight: [0, 1] } as const)[path];
  const above = Array.from({ length: columns }, (_, tap) => [-1, tap - (columns >> 1)] as const);
  const counts = (row: number, column: number, width: number) =>
    row + toCell[0] >= 0 && column + toCell[1] >= 0 && column + toCell[1] < width;
  const states = groupsOf(size, groups);
  const gates = groupsOf(4 * size, 4 * groups).map(([first], i): Read => {
    const read = oneByOne(states[i >> 2] as FeatureRange, first);
    return i % 4 === 1 ? { ...read, counts } : read; // of o, f, i and g
  });
  const ofStates = [...above, toCell].map((at) => ({ features: all, operand: 'own', of: all, at }) as const);
  return [...gates, ...ofStates];
}

export const lstmOps = <T>(nodes: Nodes<T>) => ({
  /**
   * An LSTM over pixels, from its input part of the gates: [N,H,W,4F] -> h [N,H,W,F]. Each group of features
   * holds o, f, i and g, before their activations. The path determines whose h and c a pixel reads:
   *
   * - `'rows'`: h from the row above, through a kernel [1,k,F,4F] centred on the pixel, and c from the pixel above.
   * - `'fromLeft'`, `'fromRight'`: h from the pixel above and the pixel to the left or right,
   *   through the two taps of a kernel [2,1,F,4F], and c from the pixel to the left or right.
   *   `'fromRight'` has seen the rest of its row, so a causal layer must shift it down.
   */
  lstm(x: T, kernel: LayerWeight, path: LSTMPath, groups: number): T {
    const [rows, columns] = kernelShape(checkLayerWeight('lstm: kernel', kernel));
    return nodes.add(lstm, [x], { kernel: nodes.weight(kernel), kernelSize: [rows, columns], path, groups });
  },
});
