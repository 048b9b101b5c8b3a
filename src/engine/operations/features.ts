import { Op } from '../../kernels/instruction';
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
