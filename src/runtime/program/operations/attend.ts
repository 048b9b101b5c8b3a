import {
  flag,
  type Given,
  integer,
  optional,
  optionalSeed,
  probability,
  rate,
  readArguments,
} from '../../core/arguments';
import { checkFeatures, checkMemory, throwTypeError } from '../../core/check';
import { wholeVectors } from '../../kernels/instruction';
import type { Nodes } from '../nodes';
import { type FeatureRange, groupsOf, oneByOne, operation, type Read } from '../operation';

// Arguments are made by functions, so that pages which only run programs do without them.

const dropoutArgs = () => ({
  /** The probability of dropping a number, in [0, 1). */
  rate: probability(),
  /** The same seed and training step drop the same numbers. @default a new one for each layer */
  seed: optionalSeed(),
});

/** Arguments of {@link Ops.dropout}. */
export interface DropoutArgs extends Readonly<Given<ReturnType<typeof dropoutArgs>>> {}

/** Whether places attend to themselves too, and not to strictly earlier places only. */
export const own = flag(false);

const attentionArgs = () => ({
  /** Whether places attend to themselves too, and not to strictly earlier places only. @default false */
  own,
  /** The probability of dropping a weight in training, as {@link Ops.dropout} drops numbers. @default 0 */
  rate: rate(),
  /** As for {@link Ops.dropout}. @default a new one for each layer */
  seed: optionalSeed(),
});

/** Arguments of {@link Ops.attend}. */
export interface AttentionArgs extends Readonly<Given<ReturnType<typeof attentionArgs>>> {}

export const attend = operation({
  name: 'attend',
  operands: 3,
  fields: { heads: integer({ from: 1 }), own: optional(own) },
  isOfMaps: true,
  size(operands, { heads }, what) {
    const [queries, keys, values] = operands.map(({ size }) => size);
    if (queries !== keys)
      throwTypeError(`${what}: inputs`, 'queries and keys of equal size', [queries, keys]);
    checkFeatures(`${what}: queries`, queries, heads, 'heads');
    return checkFeatures(`${what}: values`, values, heads, 'heads');
  },
  reads({ heads, own, size }, [ofKeys = 0]) {
    const scored = groupsOf(ofKeys, heads);
    // With only one place, its weight is 1, whatever query and key are.
    const first = own ? 1 : 2;
    const counts = (row: number, column: number, width: number) => row * width + column >= first;
    return groupsOf(size, heads).flatMap((features, head): Read[] => {
      const of = scored[head] as FeatureRange;
      const seen: Read[] = [{ features, operand: 1, of, counts }, oneByOne(features, features[0], 2)];
      const earlier = seen.map((read): Read => ({ ...read, at: 'earlier' }));
      return [{ features, operand: 0, of, counts }, ...earlier, ...(own ? seen : [])];
    });
  },
  work({ size }, [ofKeys = 0], places, what) {
    const stored = wholeVectors(ofKeys) + wholeVectors(size);
    checkMemory(`${what}: height, width, keys and values of the image`, [places, stored]);
    return (places / 2 + 1) * stored; // reads keys and values of half of all places on average, and stores its own
  },
});

export const attendOps = <T>(nodes: Nodes<T>) => ({
  /**
   * Causal attention: the mean of the values of earlier places, in row order, weighted by
   * softmax(queries keys / sqrt(U / heads)), separately for each head; zeros at the first place, unless it attends
   * to itself. Queries and keys [N,H,W,U], values [N,H,W,V] -> [N,H,W,V].
   */
  attend(queries: T, keys: T, values: T, heads: number, args: AttentionArgs = {}): T {
    const { own } = readArguments('attend', args, attentionArgs());
    return nodes.add(attend, [queries, keys, values], { heads, own: own || undefined });
  },
  /**
   * In training, sets each number to 0 with probability `rate`, and otherwise divides it by 1 - rate, which keeps the
   * mean. At inference, returns x unchanged.
   */
  dropout(x: T, args: DropoutArgs): T {
    readArguments('dropout', args, dropoutArgs());
    nodes.sizeOf(x, 'dropout');
    return x; // programs do not train
  },
});
