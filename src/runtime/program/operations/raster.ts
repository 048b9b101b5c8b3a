import { throwTypeError } from '../../core/check';
import type { Nodes } from '../nodes';
import { checkShape, oneByOne, operation, weight } from '../operation';
import type { LayerWeight } from '../weights';

// Operations that take the places of a map as a sequence, in row order.

export const rasterShift = operation({
  name: 'rasterShift',
  operands: 1,
  fields: { start: weight },
  isOfMaps: true,
  size([x], { start }, what) {
    checkShape(`${what}: start`, start, [x.size]);
    return x.size;
  },
  reads: ({ size }) => [{ ...oneByOne([0, size]), at: 'previous' }],
});

export const embedPlaces = operation({
  name: 'embedPlaces',
  operands: 1,
  fields: { table: weight },
  isOfMaps: true,
  size([x], { table: { name, shape } }, what) {
    if (shape.length !== 3 || shape[2] !== x.size)
      throwTypeError(`${what}: table '${name}'`, `shape [height, width, ${x.size}]`, shape);
    return x.size;
  },
  tableOfPlaces: 'table',
});

export const rasterOps = <T>(nodes: Nodes<T>) => ({
  /**
   * Shifts features by one place in row order: each place gets those of the place before it, and the first place of the
   * image a start token of shape [F]. [N,H,W,F] -> [N,H,W,F]
   */
  rasterShift(x: T, start: LayerWeight): T {
    return nodes.add(rasterShift, [x], { start: nodes.weight(start) });
  },
  /** Adds a vector to each place, by a table [H,W,F]: [N,H,W,F] -> [N,H,W,F]. */
  embedPlaces(x: T, table: LayerWeight): T {
    return nodes.add(embedPlaces, [x], { table: nodes.weight(table) });
  },
});
