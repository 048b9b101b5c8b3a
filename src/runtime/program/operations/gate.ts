import { integer } from '../../core/arguments';
import { checkFeatures, checkOneOf } from '../../core/check';
import type { Nodes } from '../nodes';
import { type FeatureRange, groupsOf, oneByOne, operation } from '../operation';
import { combinations } from './pointwise';

/** The kind of a gate: tanh(a) sigmoid(b), or a sigmoid(b). */
export type GateKind = 'tanh' | 'linear';

const gateOf = <const Name extends 'gate' | 'glu'>(name: Name) =>
  operation({
    name,
    operands: 1,
    fields: { groups: integer({ from: 1 }) },
    size: ([x], { groups }, what) => checkFeatures(`${what}: input`, x.size, 2 * groups, '2 * groups') / 2,
    reads({ size, groups }) {
      const outputs = groupsOf(size, groups);
      return groupsOf(2 * size, 2 * groups).map(([first], i) =>
        oneByOne(outputs[i >> 1] as FeatureRange, first),
      );
    },
  });

export const gate = gateOf('gate');
export const glu = gateOf('glu');

export const gateOps = <T>(nodes: Nodes<T>) => ({
  /**
   * tanh(a) sigmoid(b), or a sigmoid(b) for the kind 'linear'. Each group of features holds a, then as many features b:
   * [N,H,W,2F] -> [N,H,W,F]. A projected condition, [N,2F] or [N,H,W,2F], is added first.
   */
  gate(x: T, groups: number, condition?: T, kind: GateKind = 'tanh'): T {
    if (condition !== undefined) nodes.sizeOf(condition, 'gate: condition');
    checkOneOf('gate: kind', kind, ['tanh', 'linear']);
    const what = { what: 'gate' };
    const sum = condition === undefined ? x : nodes.add(combinations.add, [x, condition], {}, what);
    return nodes.add(kind === 'linear' ? glu : gate, [sum], { groups }, what);
  },
});
