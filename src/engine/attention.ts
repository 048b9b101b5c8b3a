import { Op, type Operand, wholeVectors } from '../kernels/instruction';
import { arranged, commonRuns } from './featurewise';
import { CHUNK, type FeatureCache, type Plan } from './plan';

/** What attention is made of, by its features. */
interface Attended {
  readonly queries: FeatureCache;
  readonly keys: FeatureCache;
  readonly values: FeatureCache;
}

/**
 * Attention from queries to y, of images of so many rows. Keys and values of all places are kept side by side, in the order
 * of places, [images][places][keys, values]: those of a place are appended when they are ready, and read by later places.
 */
export function addAttention(
  plan: Plan,
  height: number,
  heads: number,
  { queries, keys, values }: Attended,
  y: FeatureCache,
): void {
  const { scale, layout } = y;
  const units = layout.times.length;
  const toValues = wholeVectors(units);
  const slots = 2 * toValues;
  const [rows, columns] = [height / scale, plan.width / scale];
  const { offset, stride } = plan.reserveForImages(1, rows * columns * slots);
  const present = plan.movingBase({
    start: offset,
    rowStride: columns * slots,
    rows,
    scale,
    above: 0,
    slots,
  });
  const firstPlace = (slot: number): Operand => ({ base: CHUNK, offset: offset + slot, stride });
  const place = (slot: number): Operand => ({ base: present, offset: slot, stride, columnStride: slots });
  append(plan, keys, 0, place);
  append(plan, values, toValues, place);

  const size = units / heads;
  const like = arranged(plan, queries, layout, !y.isOnePixel);
  const room = plan.reserve(rows * columns).offset;
  for (let head = 0; head < heads; head++) {
    const feature = head * size;
    const slot = layout.slotOf[feature] as number; // those of a head lie side by side: they are ready at one time
    const code = {
      op: Op.attend,
      y: y.operand(slot),
      a: like.operand(slot),
      b: firstPlace(feature),
      c: place(feature),
      length: size,
      weights: room,
      weightStride: slots,
      inputs: toValues,
      parameter: 1 / Math.sqrt(size),
    };
    plan.emit(layout.times[feature] as number, code, y.places);
  }
}

/** Copies features to the present place, from a slot of it on, each when it is ready. */
function append(plan: Plan, x: FeatureCache, first: number, place: (slot: number) => Operand): void {
  const { times, slotOf } = x.layout;
  const to = Array.from(slotOf, (_, feature) => first + feature);
  for (const { time, from, length } of commonRuns(times, to, slotOf)) {
    const [slot, a] = from as [number, number];
    plan.emit(time, { op: Op.copy, y: place(slot), a: x.operand(a), length }, x.places);
  }
}
