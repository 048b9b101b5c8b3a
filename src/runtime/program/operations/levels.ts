import { checked } from '../../core/arguments';
import { checkCategories, checkInteger, throwTypeError } from '../../core/check';
import type { Nodes } from '../nodes';
import { checkShape, groupsOf, operation, type Read, weight } from '../operation';
import { checkLayerWeight, type LayerWeight } from '../weights';

/**
 * The most levels in [0, 1] that tensors can distinguish on every backend, since a float32 division on a GPU
 * may be off by three units in the last place. Programs, whose levels are integers, have no such limit.
 */
const MAX_TENSOR_LEVELS = 2 ** 20;

/** Checks a count of levels that tensors of numbers in [0, 1] will be converted back to. */
export function checkEncodedLevels(what: string, levels: unknown): number {
  return checkInteger(what, levels, 2, MAX_TENSOR_LEVELS);
}

const checkLevelCount = (what: string, levels: unknown) => checkCategories(what, levels, 2);

const ofEachNumber = ({ size }: { readonly size: number }, [numbers = 1]: readonly number[]): Read[] =>
  groupsOf(size, numbers).map((features, n) => ({ features, operand: 0, of: [n, n + 1] }));

export const oneHot = operation({
  name: 'oneHot',
  operands: 1,
  fields: {},
  size([x], _, what, size) {
    if (x.size !== 1) throwTypeError(`${what}: input`, 'one feature', x.size);
    return checkInteger(`${what}: size`, size, 1);
  },
  reads: ofEachNumber,
});

export const oneHotLevels = operation({
  name: 'oneHotLevels',
  operands: 1,
  fields: { levels: checked(checkLevelCount) },
  size: ([x], { levels }) => x.size * levels,
  reads: ofEachNumber,
});

export const embedLevels = operation({
  name: 'embedLevels',
  operands: 1,
  fields: { table: weight },
  size([x], { table }, what) {
    const [levels = 0, units = 0] = table.shape;
    checkShape(`${what}: table`, table, [levels, units]);
    checkLevelCount(`${what}: levels`, levels);
    return x.size * units;
  },
  reads: ofEachNumber,
});

export const levelOps = <T>(nodes: Nodes<T>) => ({
  /** Turns an index into a one-hot vector: [N,1] -> [N,size]; all zeros if the index is out of range. */
  oneHot(x: T, size: number): T {
    return nodes.add(oneHot, [x], {}, { size });
  },
  /**
   * Turns normalized levels into one-hot vectors: [N,H,W,C] -> [N,H,W,C*levels], channel by channel. The level round(x
   * (levels - 1)), with halves rounded up, becomes 1, the others 0; all are 0 if that is not a level.
   */
  oneHotLevels(x: T, levels: number): T {
    return nodes.add(oneHotLevels, [x], { levels });
  },
  /**
   * Turns normalized levels into rows of a table [levels,units], which all channels share:
   * [N,H,W,C] -> [N,H,W,C*units]; zeros where {@link oneHotLevels} returns zeros.
   */
  embedLevels(x: T, table: LayerWeight): T {
    const rows = nodes.weight(checkLayerWeight('embedLevels: table', table));
    return nodes.add(embedLevels, [x], { table: rows });
  },
});
