import type { CombinationName } from '../../program/operations/pointwise';
import type { Lowering } from '../lowering';
import type { FeatureCache } from '../plan';
import { arranged, eachRun } from '../runs';

export const pointwise: Lowering<'pointwise'> = {
  emit({ plan }, { fn, parameter }, [given], y) {
    const x = arranged(plan, given, y);
    const every = (value: number) => plan.constant(new Float32Array(y.layout.slots).fill(value));
    if (fn === 'scale') eachRun(plan, 'multiply', y, x, every(parameter));
    else if (fn === 'shift') eachRun(plan, 'add', y, x, every(parameter));
    else if (fn === 'quickGelu') {
      eachRun(plan, 'multiply', y, x, every(1.702));
      eachRun(plan, 'glu', y, x, y.operand());
    } else eachRun(plan, fn, y, x, undefined, { parameter });
  },
};

/** Combines all operands, one by one. */
export const combination: Lowering<CombinationName> = {
  emit({ plan }, { op }, operands, y) {
    const [first, ...others] = operands.map((x) => arranged(plan, x, y)) as [FeatureCache, ...FeatureCache[]];
    if (others.length === 0) eachRun(plan, 'copy', y, first);
    for (const [i, other] of others.entries()) eachRun(plan, op, y, i === 0 ? first : y, other.operand());
  },
};
