import { ONCE } from '../../program/times';
import type { Lowering } from '../lowering';
import { addCopies, arranged, eachRun, inSlots, slotsOfImages } from '../runs';

/**
 * The features of the previous place are held apart, since it may lie at the end of the row above. They are replaced
 * once they have been read. Features that are known for whole rows are shifted in a sweep.
 */
export const rasterShift: Lowering<'rasterShift'> = {
  emit({ plan, numbers }, { start }, [x], y) {
    const { slots, slotOf, times } = y.layout;
    const held = slotsOfImages(plan, slots, y.places);
    const first = plan.constant(inSlots(numbers(start), y.layout));
    plan.emit(ONCE, { op: 'copy', y: held.operand(), a: first, length: slots });
    addCopies(plan, y, y.layout, { ...held, layout: y.layout }, { sweep: 'fromLeft' });
    const later = times.map((time, feature) => Math.max(time, x.layout.times[feature] as number));
    addCopies(plan, held, { times: later, slotOf }, x, { sweep: 'fromLeft' });
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
