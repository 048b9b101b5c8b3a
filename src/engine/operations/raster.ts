import { Op } from '../../kernels/instruction';
import { AFTER_ROW, ONCE, ROW } from '../../program/times';
import type { Lowering } from '../lowering';
import type { Plan } from '../plan';
import { arranged, commonRuns, eachRun, inSlots } from '../runs';

/**
 * The features of the previous place are held apart, since it may lie at the end of the row above. They are replaced
 * once they have been read. Features that are known for whole rows are shifted in a sweep.
 */
export const rasterShift: Lowering<'rasterShift'> = {
  emit({ plan, numbers }, { start }, [x], y) {
    const { slots, slotOf, times } = y.layout;
    const held = plan.reserveForImages(1, slots);
    const heldAt = (slot: number) => ({ ...held, offset: held.offset + slot });
    const copy = (time: number, code: Pick<Parameters<Plan['emit']>[1], 'y' | 'a' | 'length'>) => {
      const isOfRow = time === ROW || time === AFTER_ROW;
      plan.emit(time, { op: Op.copy, ...code }, y.places, isOfRow ? 'fromLeft' : undefined);
    };
    const first = plan.constant(inSlots(numbers(start), y.layout));
    plan.emit(ONCE, { op: Op.copy, y: held, a: first, length: slots });
    for (const { range, time } of y.layout.runs) {
      const [from, to] = range;
      copy(time, { y: y.operand(from), a: heldAt(from), length: to - from });
    }
    const later = times.map((time, feature) => Math.max(time, x.layout.times[feature] as number));
    for (const { time, from, length } of commonRuns(later, slotOf, x.layout.slotOf))
      copy(time, { y: heldAt(from[0]), a: x.operand(from[1]), length });
  },
};

/** Adds the row of the table that belongs to the place. All images share the table. */
export const embedPlaces: Lowering<'embedPlaces'> = {
  emit({ plan, height, numbers }, { table: name, size }, [x], y) {
    const { slots } = y.layout;
    const { scale } = y;
    const [rows, columns] = [height / scale, plan.width / scale];
    const table = numbers(name); // [H,W,F]
    const { offset: start } = plan.written(rows * columns * slots, (to) => {
      for (let place = 0; place < rows * columns; place++) {
        const ofPlace = table.subarray(place * size, (place + 1) * size);
        to.set(inSlots(ofPlace, y.layout), place * slots); // [H,W,F] -> [H,W,slots]
      }
    });
    const row = { rowStride: columns * slots, rows, scale, above: 0, slots };
    const base = plan.movingBase({ start, ...row, isShared: true });
    eachRun(plan, 'add', y, arranged(plan, x, y), { base, offset: 0, stride: 0, columnStride: slots });
  },
};
