import { type Given, integer, optionalSeed, probability, readArguments } from '../../core/arguments';
import { checkFeatures, checkMemory, throwTypeError } from '../../core/check';
import { wholeVectors } from '../../kernels/instruction';
import type { Nodes } from '../nodes';
import { groupsOf, operation, type Read } from '../operation';

const dropoutArgs = {
  /** The probability of dropping a number, in [0, 1). */
  rate: probability(),
  /** The same seed and training step drop the same numbers. @default a new one for each layer */
  seed: optionalSeed(),
};

/** Arguments of {@link Ops.dropout}. */
export interface DropoutArgs extends Readonly<Given<typeof dropoutArgs>> {}

export interface AttendOps<T> {
  /**
   * Causal attention: the mean of the values of strictly earlier places, in row order, weighted by
   * softmax(queries keys / sqrt(U / heads)), separately for each head; zeros at the first place. All
   * [N,H,W,U] -> [N,H,W,U]. In training, `dropout` drops weights as {@link Ops.dropout} drops numbers.
   */
  attend(queries: T, keys: T, values: T, heads: number, dropout?: DropoutArgs): T;
  /**
   * In training, sets each number to 0 with probability `rate`, and otherwise divides it by 1 - rate, which keeps the
   * mean. At inference, returns x unchanged.
   */
  dropout(x: T, args: DropoutArgs): T;
}

export const attend = operation({
  name: 'attend',
  operands: 3,
  fields: { heads: integer({ from: 1 }) },
  isOfMaps: true,
  size(operands, { heads }, what) {
    const sizes = operands.map(({ size }) => size);
    if (new Set(sizes).size !== 1)
      throwTypeError(`${what}: inputs`, 'queries, keys and values of equal size', sizes);
    return checkFeatures(`${what}: input`, sizes[0], heads, 'heads');
  },
  reads: ({ heads, size }) =>
    groupsOf(size, heads).flatMap((features): Read[] => {
      // With only one earlier place, its weight is 1, whatever query and key are.
      const counts = (row: number, column: number, width: number) => row * width + column >= 2;
      return [
        { features, operand: 0, of: features, counts },
        { features, operand: 1, of: features, at: 'earlier', counts },
        { features, operand: 2, of: features, at: 'earlier', isOneByOne: true },
      ];
    }),
  work({ size }, _, places, what) {
    const stored = wholeVectors(size);
    checkMemory(`${what}: height, width, keys and values of the image`, [places, 2 * stored]);
    return (places + 2) * stored; // reads keys and values of half of all places on average, and stores its own
  },
});

export const attendOps = <T>(nodes: Nodes<T>): AttendOps<T> => ({
  attend(queries, keys, values, heads, dropout) {
    if (dropout !== undefined) readArguments('attend: dropout', dropout, dropoutArgs);
    return nodes.add(attend, [queries, keys, values], { heads });
  },
  /** Programs do not train. */
  dropout(x, args) {
    readArguments('dropout', args, dropoutArgs);
    nodes.sizeOf(x, 'dropout');
    return x;
  },
});
