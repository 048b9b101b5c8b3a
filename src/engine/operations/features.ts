import { Op } from '../../kernels/instruction';
import { halvesOfGroups } from '../../program/operations/gate';
import type { Lowering } from '../lowering';
import type { FeatureCache } from '../plan';
import { addCopies, commonRuns } from '../runs';

export const concat: Lowering<'concat'> = {
  layout: 'concatenated',
  emit({ plan }, _, operands, y) {
    const { times, slotOf } = y.layout;
    let first = 0;
    for (const x of operands) {
      const end = first + x.layout.slotOf.length;
      addCopies(plan, times.slice(first, end), slotOf.slice(first, end), x.layout.slotOf, x, y);
      first = end;
    }
  },
};

export const slice: Lowering<'slice'> = {
  emit({ plan }, { start, size }, [x], y) {
    const from = (x as FeatureCache).layout.slotOf.slice(start, start + size);
    addCopies(plan, y.layout.times, y.layout.slotOf, from, x as FeatureCache, y);
  },
};

/** The features of the pixel that lies a number of rows above and columns to the left; zeros outside the image. */
export const shift: Lowering<'shift'> = {
  emit({ plan }, { rows, columns }, [x], y) {
    const { layout } = x as FeatureCache;
    addCopies(plan, y.layout.times, y.layout.slotOf, layout.slotOf, x as FeatureCache, y, rows, columns);
  },
  reads: ({ rows, columns }) => ({ above: rows, columns }),
};

/** One instruction for each run of contiguous features whose two outputs are contiguous too. */
export const concatElu: Lowering<'concatElu'> = {
  emit({ plan }, _, operands, y) {
    const [x] = operands as [FeatureCache];
    const { slotOf, times } = y.layout;
    const half = x.layout.slotOf.length;
    const runs = commonRuns(times.slice(0, half), slotOf.slice(0, half), slotOf.slice(half), x.layout.slotOf);
    for (const { time, from, length } of runs) {
      const [to, negative, a] = from as [number, number, number];
      const code = { y: y.operand(to), b: y.operand(negative), a: x.operand(a), length };
      plan.emit(time, { op: Op.concatElu, ...code }, y.places);
    }
  },
};

/** One instruction for each run of contiguous features whose halves are contiguous too. */
export const gate: Lowering<'gate' | 'glu'> = {
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
