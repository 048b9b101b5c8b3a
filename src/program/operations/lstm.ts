import { checked, integer, oneOf } from '../../core/arguments';
import { checkFeatures, checkInteger, checkList, throwTypeError } from '../../core/check';
import { wholeVectors } from '../../kernels/instruction';
import { type Need, oncePerSet } from '../need';
import { checkShape, type Nodes, operation, weight } from '../operation';
import { AFTER_ROW, latest, ROW } from '../times';
import { checkLayerWeight, kernelShape, type LayerWeight } from '../weights';

/** The paths that the state of an LSTM may take over the pixels of an image: see `lstm` of `Ops`. */
export const lstmPaths = ['rows', 'fromLeft', 'fromRight'] as const;
/** A path that the state of an LSTM may take over the pixels of an image: see `lstm` of `Ops`. */
export type LSTMPath = (typeof lstmPaths)[number];

export interface LSTMOps<T> {
  /**
   * An LSTM over pixels, from its input part of the gates: [N,H,W,4F] -> h [N,H,W,F]. Each group of features holds o,
   * f, i and g, before their activations. The path determines where the h and c of a pixel's predecessors come from:
   *
   * - `'rows'`: h from the row above, through a kernel [1,k,F,4F] centred on the pixel, and c from the pixel above.
   * - `'fromLeft'`, `'fromRight'`: h from the pixel above and the pixel to the left or right, through the two taps of a
   *   kernel [2,1,F,4F], and c from the pixel to the left or right. From the right, it has seen the rest of its row, so
   *   a causal layer must shift it down.
   */
  lstm(x: T, kernel: LayerWeight, path: LSTMPath, groups: number): T;
}

type KernelSize = readonly [rows: number, columns: number];

const kernelSize = checked((what, given) => {
  for (const length of checkList(what, given, 2)) checkInteger(what, length, 1);
  return given as KernelSize;
});

/**
 * The states of an LSTM, from its gates before their activations and a kernel [rows,columns,size,4*size]. Within each of
 * its groups of features, o, f, i and g lie side by side.
 */
export const lstm = operation({
  name: 'lstm',
  operands: 1,
  fields: { kernel: weight, kernelSize, path: oneOf(...lstmPaths), groups: integer({ from: 1 }) },
  isOfMaps: true,
  size([z], { kernel, kernelSize, path, groups }, what) {
    const [rows, columns] = kernelSize;
    const fits = path === 'rows' ? rows === 1 && columns % 2 === 1 : rows === 2 && columns === 1;
    if (!fits)
      throwTypeError(`${what}: kernelSize`, path === 'rows' ? '[1,k] with k odd' : '[2,1]', kernelSize);
    const gates = checkFeatures(`${what}: input`, z?.size, 4 * groups, '4 * groups');
    checkShape(`${what}: kernel`, kernel, [rows, columns, gates / 4, gates]);
    return gates / 4;
  },
  times: ({ path, groups, size }, [gates = []]) => timesOfStates(gates, path, groups, size),
  reach: (node, states, [gates]) => needOfStates(node, states, gates as Need),
  work({ kernelSize: [rows, columns], groups, size }) {
    const padded = groups * wholeVectors(size / groups);
    return rows * columns * padded * 4 * padded + 16 * padded; // gates are stored for each pixel of a row
  },
});

/**
 * When the states are ready. Along rows, those of a group wait only for its own gates: the states that they come from
 * are in the row above. Along diagonals they also come from all groups of the pixel beside. From the left, that pixel is
 * known when this one begins; but if some gates wait for the end of the row, so do all states. From the right, states
 * have seen the rest of the row, and are ready after it. If all gates are known before the row, so are all states.
 */
function timesOfStates(gates: readonly number[], path: LSTMPath, groups: number, size: number): number[] {
  const last = latest(gates);
  if (path !== 'rows' && (last <= ROW || last === AFTER_ROW || path === 'fromRight'))
    return new Array<number>(size).fill(last <= ROW ? ROW : AFTER_ROW);
  const first = path === 'rows' ? ROW : 0;
  return Array.from({ length: size }, (_, feature) => {
    const group = Math.floor((feature * groups) / size) * ((4 * size) / groups);
    return Math.max(first, latest(gates.slice(group, group + (4 * size) / groups)));
  });
}

/**
 * What states depend on: their gates, and all earlier states that their kernel sees, which in turn need the same. The
 * forget gate counts only if there was an earlier cell.
 */
function needOfStates(
  { path, kernelSize, groups }: { path: LSTMPath; kernelSize: KernelSize; groups: number },
  states: Need,
  gates: Need,
): void {
  const { height, width, features: sets } = states;
  const group = sets.features / groups;
  const left = kernelSize[1] >> 1;
  const above = Array.from({ length: kernelSize[1] }, (_, tap) => [-1, tap - left] as const);
  const toCell = ({ rows: [-1, 0], fromLeft: [0, -1], fromRight: [0, 1] } as const)[path];
  const seen = path === 'rows' ? above : [...above, toCell];
  const all = sets.numberOf(() => true);
  const gatesOf = (parts: readonly number[]) =>
    oncePerSet((set) => {
      const read = new Set(
        sets.featuresOf(set).flatMap((f) => parts.map((part) => f + 3 * (f - (f % group)) + part * group)),
      );
      return gates.features.numberOf((feature) => read.has(feature));
    });
  const [withForget, withoutForget] = [gatesOf([0, 1, 2, 3]), gatesOf([0, 2, 3])]; // of z: o, then f, i and g
  for (let row = height - 1; row >= 0; row--) {
    for (let i = 0; i < width; i++) {
      const column = path === 'fromRight' ? i : width - 1 - i; // against the path
      const set = states.at(row, column);
      if (set === 0) continue;
      const isFirstCell = row + toCell[0] < 0 || column + toCell[1] < 0 || column + toCell[1] >= width;
      gates.add(row, column, isFirstCell ? withoutForget(set) : withForget(set));
      for (const [down, right] of seen) states.add(row + down, column + right, all);
    }
  }
}

export const lstmOps = <T>(nodes: Nodes<T>): LSTMOps<T> => ({
  lstm(x, kernel, path, groups) {
    const [rows, columns] = kernelShape(checkLayerWeight('lstm: kernel', kernel));
    return nodes.add(lstm, [x], { kernel: nodes.weight(kernel), kernelSize: [rows, columns], path, groups });
  },
});
