import { Op, type Operand } from '../../kernels/instruction';
import type { Lowering } from '../lowering';
import { CHUNK, type FeatureCache } from '../plan';
import { addCopies, arranged } from '../runs';

/**
 * The keys and values of a place are appended to a store when they are ready, and later places read
 * them. What a head reads is contiguous, [images][heads][keys, values][places][size], since reading
 * around other heads took several times as long once the data exceeded the caches.
 */
export const attend: Lowering<'attend'> = {
  layout: 'sideBySide',
  emit(target, { heads }, operands, y) {
    const { plan, height } = target;
    const [queries, keys, values] = operands as readonly [FeatureCache, FeatureCache, FeatureCache];
    const { scale, layout } = y;
    const units = layout.times.length;
    const size = units / heads;
    const [rows, columns] = [height / scale, plan.width / scale];
    const places = rows * columns;
    const toValues = places * size;
    const { offset, stride } = plan.reserveForImages(1, 2 * places * units);
    const rowStride = columns * size;
    const present = plan.movingBase({ start: offset, rowStride, rows, scale, above: 0, slots: size });
    /** The position of a feature's key at the first place. */
    const keyAt = (feature: number) => 2 * places * (feature - (feature % size)) + (feature % size);
    const firstPlace = (at: number): Operand => ({ base: CHUNK, offset: offset + at, stride });
    const place = (at: number): Operand => ({ base: present, offset: at, stride, columnStride: size });
    const all = Array.from({ length: units }, (_, feature) => keyAt(feature));
    const append = (x: FeatureCache, start: number) => {
      const stored = { operand: (at = 0) => place(start + at), places: y.places };
      addCopies(plan, stored, { times: x.layout.times, slotOf: all }, x);
    };
    append(keys, 0);
    append(values, toValues);

    const like = arranged(plan, queries, y);
    const room = plan.reserve(places).offset;
    for (let head = 0; head < heads; head++) {
      const feature = head * size;
      const slot = layout.slotOf[feature] as number; // a head's slots are contiguous, since its features are ready together
      const code = {
        op: Op.attend,
        y: y.operand(slot),
        a: like.operand(slot),
        b: firstPlace(keyAt(feature)),
        c: place(keyAt(feature)),
        length: size,
        weights: room,
        weightStride: size,
        inputs: toValues,
        parameter: 1 / Math.sqrt(size),
      };
      plan.emit(layout.times[feature] as number, code, y.places);
    }
  },
};
