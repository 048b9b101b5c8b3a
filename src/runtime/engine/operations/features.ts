import { groupsOf } from '../../program/operation';
import type { Lowering } from '../lowering';
import { addCopies, commonRuns } from '../runs';

export const concat: Lowering<'concat'> = {
  layout: 'concatenated',
  emit({ plan }, _, operands, y) {
    let first = 0;
    for (const x of operands) {
      const range = [first, first + x.layout.slotOf.length];
      const [times, slotOf] = [y.layout.times.slice(...range), y.layout.slotOf.slice(...range)];
      addCopies(plan, y, { times, slotOf }, x);
      first += slotOf.length;
    }
  },
};

export const slice: Lowering<'slice'> = {
  emit({ plan }, { start, size }, [x], y) {
    addCopies(plan, y, y.layout, x, { slots: x.layout.slotOf.slice(start, start + size) });
  },
};

export const shift: Lowering<'shift'> = {
  emit: ({ plan }, { rows, columns }, [x], y) => addCopies(plan, y, y.layout, x, { from: [rows, columns] }),
  reads: ({ rows, columns }) => ({ above: rows, columns }),
};

/** One instruction for each run of contiguous features whose two outputs are contiguous too. */
export const concatElu: Lowering<'concatElu'> = {
  emit({ plan }, _, [x], y) {
    const { slotOf, times } = y.layout;
    const half = x.layout.slotOf.length;
    const runs = commonRuns(times.slice(0, half), slotOf.slice(0, half), slotOf.slice(half), x.layout.slotOf);
    for (const { time, from, length } of runs) {
      const [to, negative, a] = from;
      const code = { y: y.operand(to), b: y.operand(negative), a: x.operand(a), length };
      plan.emit(time, { op: 'concatElu', ...code }, y.places);
    }
  },
};

/** One instruction for each run of contiguous features whose halves are contiguous too. */
export const gate: Lowering<'gate' | 'glu'> = {
  emit({ plan }, { op, size, groups }, [x], y) {
    const ranges = groupsOf(2 * size, 2 * groups); // of a and b in turn
    const half = (i: 0 | 1) =>
      ranges.filter((_, k) => k % 2 === i).flatMap((range) => x.layout.slotOf.slice(...range));
    for (const { time, from, length } of commonRuns(y.layout.times, y.layout.slotOf, half(0), half(1))) {
      const [to, a, b] = from;
      const code = { y: y.operand(to), a: x.operand(a), b: x.operand(b), length };
      plan.emit(time, { op, ...code }, y.places);
    }
  },
};
