import { integer } from '../../core/arguments';
import { wholeVectors } from '../../kernels/instruction';
import { type Nodes, operation } from '../operation';

export interface ShiftOps<T> {
  /** Shifts features down by `rows` and right by `columns`, both at least 0, and fills with zeros: [N,H,W,F]. */
  shift(x: T, rows: number, columns: number): T;
}

const distance = integer({ from: 0 });

/** The features of the place that lies `rows` above and `columns` to the left; zeros if there is none. */
export const shift = operation({
  name: 'shift',
  operands: 1,
  fields: { rows: distance, columns: distance },
  isOfMaps: true,
  size: ([x]) => x?.size as number,
  reads: ({ rows, columns, size }) => [
    { features: [0, size], operand: 0, of: [0, size], isOneByOne: true, at: [0 - rows, 0 - columns] },
  ],
  work: ({ rows, columns, size }) => (rows + 1) * (columns + 1) * wholeVectors(size), // stored, with zeros around them
});

export const shiftOps = <T>(nodes: Nodes<T>): ShiftOps<T> => ({
  shift: (x, rows, columns) => nodes.add(shift, [x], { rows, columns }),
});
