import type { Instruction, Operand } from '../../kernels/instruction';
import { Layout } from '../layout';
import type { Lowering } from '../lowering';
import { CHUNK, type FeatureCache } from '../plan';
import { addCopies, cacheBeside, inLayout } from '../runs';

/**
 * The keys and values of a place are appended to a store when they are ready, and later places read
 * them. What a head reads is contiguous, [images][heads][keys, values][places][size], since reading
 * around other heads took several times as long once the data exceeded the caches.
 */
export const attend: Lowering<'attend'> = {
  layout: 'sideBySide',
  emit({ plan, height }, { heads, own }, operands, y) {
    const [queries, keys, values] = operands as readonly [FeatureCache, FeatureCache, FeatureCache];
    const { scale, layout } = y;
    const [rows, columns] = [height / scale, plan.width / scale];
    const places = rows * columns;
    const [size, keySize] = [layout.times.length / heads, keys.layout.times.length / heads];
    const ofHead = places * (keySize + size);
    const { offset, stride } = plan.reserveForImages(1, heads * ofHead);
    /** An operand at the current place of a store that begins at a position of the first head. */
    const placesOf = (start: number, slots: number) => {
      const row = { rowStride: columns * slots, rows, scale, above: 0, slots };
      const base = plan.movingBase({ start: offset + start, ...row });
      return (at = 0): Operand => ({ base, offset: at, stride, columnStride: slots });
    };
    const keyPlace = placesOf(0, keySize);
    const valuePlace = placesOf(places * keySize, size);
    const append = (x: FeatureCache, operand: typeof keyPlace, size: number) => {
      const { times } = x.layout;
      const slotOf = times.map((_, feature) => Math.floor(feature / size) * ofHead + (feature % size));
      addCopies(plan, { operand, places: y.places }, { times, slotOf }, x);
    };
    append(keys, keyPlace, keySize);
    append(values, valuePlace, size);

    const sideBySide = ({ times }: Layout) => Layout.of(times.map(() => 0)).withTimes(times);
    const like = inLayout(plan, queries, sideBySide(queries.layout), !y.isOnePixel);
    // Values of a head may be known at several times: the head is computed at each of them, and copied in parts.
    const { times } = layout;
    const areTogether = times.every((time, feature) => time === times[feature - (feature % size)]);
    const whole = areTogether ? y : cacheBeside(plan, y, sideBySide(layout));
    const room = plan.reserve(places).offset;
    for (let head = 0; head < heads; head++) {
      const feature = head * size;
      const code: Instruction = {
        op: 'attend',
        y: whole.operand(whole.layout.slotOf[feature]), // a head's slots are contiguous
        a: like.operand(like.layout.slotOf[head * keySize]),
        b: { base: CHUNK, offset: offset + head * ofHead, stride },
        c: keyPlace(head * ofHead + (own ? keySize : 0)),
        length: size,
        weights: room,
        weightStride: keySize,
        inputs: places * keySize,
        parameter: 1 / Math.sqrt(keySize),
      };
      for (const time of new Set(times.slice(feature, feature + size))) plan.emit(time, code, y.places);
    }
    if (!areTogether) addCopies(plan, y, layout, whole);
  },
};
