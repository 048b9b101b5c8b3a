import { integer } from '../../core/arguments';
import { checkFeatures, checkOneOf } from '../../core/check';
import { type Nodes, operation, type Read } from '../operation';
import { combinations } from './pointwise';

/** The kind of a gate: tanh(a) sigmoid(b), or a sigmoid(b). */
export type GateKind = 'tanh' | 'linear';

export interface GateOps<T> {
  /**
   * tanh(a) sigmoid(b), or a sigmoid(b) for the kind 'linear'. Each group of features holds a, then as many features b:
   * [N,H,W,2F] -> [N,H,W,F]. A projected condition, [N,2F] or [N,H,W,2F], is added first.
   */
  gate(x: T, groups: number, condition?: T, kind?: GateKind): T;
}

const gateOf = <const Name extends 'gate' | 'glu'>(name: Name) =>
  operation({
    name,
    operands: 1,
    fields: { groups: integer({ from: 1 }) },
    size: ([x], { groups }, what) => checkFeatures(`${what}: input`, x?.size, 2 * groups, '2 * groups') / 2,
    reads: (node) =>
      halvesOfGroups(node).flatMap(({ features, halves }) =>
        halves.map((of): Read => ({ features, operand: 0, of, isOneByOne: true })),
      ),
  });

export const gate = gateOf('gate');
export const glu = gateOf('glu');

/** For each group of a gate's features, the ranges of its inputs a and b. */
export function halvesOfGroups({ size, groups }: { readonly size: number; readonly groups: number }) {
  const group = size / groups;
  return Array.from({ length: groups }, (_, g) => {
    const first = g * group;
    const [a, b] = [2 * first, 2 * first + group];
    return { features: [first, first + group], halves: [[a, b], [b, b + group]] } as const; // biome-ignore format: one line
  });
}

export const gateOps = <T>(nodes: Nodes<T>): GateOps<T> => ({
  gate(x, groups, condition, kind = 'tanh') {
    if (condition !== undefined) nodes.sizeOf(condition, 'gate: condition');
    checkOneOf('gate: kind', kind, ['tanh', 'linear']);
    const what = { what: 'gate' };
    const sum = condition === undefined ? x : nodes.add(combinations.add, [x, condition], {}, what);
    return nodes.add(kind === 'linear' ? glu : gate, [sum], { groups }, what);
  },
});
