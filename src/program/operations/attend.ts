import { checked, type Given, integer, optional, readArguments } from '../../core/arguments';
import { checkFeatures, checkMemory, checkNumber, throwTypeError } from '../../core/check';
import { wholeVectors } from '../../kernels/instruction';
import { type Need, oncePerSet } from '../need';
import { type Nodes, operation, type Read } from '../operation';

/** Checks a probability of dropping a number. */
export const checkRate = (what: string, rate: unknown): number =>
  checkNumber(what, rate, 'from 0, below 1', (p) => p >= 0 && p < 1);

const dropoutArgs = {
  /** The probability of dropping a number, in [0, 1). */
  rate: checked(checkRate),
  /** The same seed and training step drop the same numbers. @default a new one for each layer */
  seed: optional<number, number | undefined>(integer()),
};

/** Arguments of {@link Ops.dropout}. */
export interface DropoutArgs extends Readonly<Given<typeof dropoutArgs>> {}

export interface AttendOps<T> {
  /**
   * Causal attention: the mean of the values of strictly earlier places, in row order, weighted by softmax(queries keys
   * / sqrt(U / heads)), separately for each of the heads; zeros at the first place. All [N,H,W,U] -> [N,H,W,U]. In
   * training, weights are dropped as {@link Ops.dropout} drops numbers.
   */
  attend(queries: T, keys: T, values: T, heads: number, dropout?: DropoutArgs): T;
  /**
   * In training, sets each number to 0 with probability `rate`, and otherwise divides it by 1 - rate, which keeps the
   * mean. At inference, returns x unchanged.
   */
  dropout(x: T, args: DropoutArgs): T;
}

/** Attention of queries over the keys and values of strictly earlier places, separately for each head. */
export const attend = operation({
  name: 'attend',
  operands: 3,
  fields: { heads: integer({ from: 1 }) },
  isOfMaps: true,
  size(operands, { heads }, what) {
    const sizes = operands.map(({ size }) => size);
    if (new Set(sizes).size !== 1)
      throwTypeError(`${what}: inputs`, 'queries, keys and values of one size', sizes);
    return checkFeatures(`${what}: input`, sizes[0], heads, 'heads');
  },
  reads: ({ heads, size }) =>
    Array.from({ length: heads }, (_, head) => {
      const features = [(head * size) / heads, ((head + 1) * size) / heads] as const;
      const read = (operand: number, at: Read['at'] & {}): Read => ({ features, operand, of: features, at });
      return [read(0, [0, 0]), read(1, [0, -1]), read(2, [0, -1])]; // earlier places are known no later than the one to the left
    }).flat(),
  reach: needOfAttention,
  work({ size }, _, places, what) {
    const stored = wholeVectors(size);
    checkMemory(`${what}: height, width, keys and values of the image`, [places, 2 * stored]);
    return (places + 2) * stored; // keys and values of half of all places on average; and what is stored
  },
});

/**
 * For each head its query, and the keys and values of all earlier places. If there is only one earlier place, its value
 * is taken whatever query and key are; the first place depends on nothing.
 */
function needOfAttention(
  { heads, size }: { readonly heads: number; readonly size: number },
  outputs: Need,
  operands: readonly Need[],
): void {
  const [queries, keys, values] = operands as [Need, Need, Need];
  const sets = outputs.features;
  const headOf = (feature: number) => Math.floor((feature * heads) / size);
  const ofHeads = oncePerSet((set) => {
    const read = new Set(sets.featuresOf(set).map(headOf));
    return queries.features.numberOf((feature) => read.has(headOf(feature)));
  });
  const lastOf = new Array<number>(size).fill(0); // the last place where each feature, or head, is needed
  const lastOfHead = new Array<number>(heads).fill(0);
  outputs.each((row, column, set) => {
    const place = row * outputs.width + column; // this many places are earlier
    if (place >= 2) queries.add(row, column, ofHeads(set));
    for (const feature of sets.featuresOf(set)) {
      lastOf[feature] = Math.max(lastOf[feature] as number, place);
      lastOfHead[headOf(feature)] = Math.max(lastOfHead[headOf(feature)] as number, place);
    }
  });
  addEarlier(values, (feature) => lastOf[feature] as number);
  addEarlier(keys, (feature) => {
    const last = lastOfHead[headOf(feature)] as number;
    return last >= 2 ? last : 0;
  });
}

/** Adds each feature at all places before an index, its own. */
function addEarlier(need: Need, endOf: (feature: number) => number): void {
  const { features, width } = need;
  const ends = Array.from({ length: features.features }, (_, feature) => endOf(feature));
  let place = 0;
  for (const end of [...new Set(ends)].sort((a, b) => a - b)) {
    const set = features.numberOf((feature) => (ends[feature] as number) >= end);
    for (; place < end; place++) need.add(Math.floor(place / width), place % width, set);
  }
}

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
