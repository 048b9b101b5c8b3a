import { Op } from '../../kernels/instruction';
import { halvesOfGroups } from '../../program/operations/gate';
import type { Lowering } from '../lowering';
import type { FeatureCache } from '../plan';
import { commonRuns } from '../runs';

/** One instruction for each run of contiguous features whose halves are contiguous too. */
export const gate: Lowering<'gate' | 'linearGate'> = {
  emit({ plan }, node, operands, y) {
    const [x] = operands as [FeatureCache];
    const groups = halvesOfGroups(node);
    const half = (i: 0 | 1) => groups.flatMap(({ halves }) => x.layout.slotOf.slice(...halves[i]));
    for (const { time, from, length } of commonRuns(y.layout.times, y.layout.slotOf, half(0), half(1))) {
      const [to, a, b] = from as [number, number, number];
      const code = { y: y.operand(to), a: x.operand(a), b: x.operand(b), length };
      plan.emit(time, { op: Op[node.op], ...code }, y.places);
    }
  },
};
