import { integer } from '../../core/arguments';
import { checkInteger, throwTypeError } from '../../core/check';
import { wholeVectors } from '../../kernels/instruction';
import type { Nodes } from '../nodes';
import { oneByOne, operation } from '../operation';

export const concat = operation({
  name: 'concat',
  operands: 'any',
  fields: {},
  size: (operands) => operands.reduce((sum, { size }) => sum + size, 0),
  reads(_, sizes) {
    let first = 0;
    return sizes.map((size, operand) => {
      first += size;
      return oneByOne([first - size, first], 0, operand);
    });
  },
});

export const slice = operation({
  name: 'slice',
  operands: 1,
  fields: { start: integer({ from: 0 }) },
  size([x], { start }, what, size) {
    const features = x.size;
    checkInteger(`${what}: size`, size, 1, features);
    checkInteger(`${what}: start`, start, 0, features - size);
    return size;
  },
  reads: ({ start, size }) => [oneByOne([0, size], start)],
});

const distance = integer({ from: 0 });

export const shift = operation({
  name: 'shift',
  operands: 1,
  fields: { rows: distance, columns: distance },
  isOfMaps: true,
  size: ([x]) => x.size,
  reads: ({ rows, columns, size }) => [{ ...oneByOne([0, size]), at: [0 - rows, 0 - columns] }],
  work: ({ rows, columns, size }) => (rows + 1) * (columns + 1) * wholeVectors(size), // stored, with zeros around them
});

export const concatElu = operation({
  name: 'concatElu',
  operands: 1,
  fields: {},
  size: ([x]) => 2 * x.size,
  reads: (_, [half = 0]) => [oneByOne([0, half]), oneByOne([half, 2 * half], 0)],
});

export const featureOps = <T>(nodes: Nodes<T>) => ({
  /** Concatenates features: [N,H,W,F], [N,H,W,G] -> [N,H,W,F+G]. */
  concat(...inputs: T[]): T {
    return nodes.add(concat, inputs, {});
  },
  /** The `size` features from `start` on: [N,H,W,F] -> [N,H,W,size]. */
  slice(x: T, start: number, size: number): T {
    return nodes.add(slice, [x], { start }, { size });
  },
  /** Shifts features down by `rows` and right by `columns`, both at least 0, and fills with zeros: [N,H,W,F]. */
  shift(x: T, rows: number, columns: number): T {
    return nodes.add(shift, [x], { rows, columns });
  },
  /** elu(x), then elu(-x): [N,H,W,F] -> [N,H,W,2F]. */
  concatElu(x: T): T {
    return nodes.add(concatElu, [x], {});
  },
  /** Reshapes features to logits of each channel: [N,H,W,C*L] -> [N,H,W,C,L]. */
  perChannel(x: T, channels: number, levels: number): T {
    const [size, wanted] = [nodes.sizeOf(x, 'perChannel'), channels * levels];
    if (size !== wanted) throwTypeError('perChannel: input', `${wanted} features`, size);
    return x; // in a program, features are ordered channel by channel, level by level
  },
});
