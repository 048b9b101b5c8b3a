import { type Instruction, later, type Operand } from '../kernels/instruction';
import { OUTPUTS } from '../kernels/packed';
import { AFTER_ROW, ROW } from '../program/times';
import type { Places } from './places';
import { PANEL, type Plan } from './plan';

// Products of weights that stay packed in the heap, which takes half of the memory, and of the time that one image waits for it.

/** With fewer images or columns, each unpacks weights into registers; with more, they are unpacked once for all. */
const FEWEST_FOR_PANEL = 4;

/** Adds a product of packed weights, with their factors at c. */
export function addPacked(
  plan: Plan,
  time: number,
  code: Instruction & { readonly c: Operand },
  places: Places,
): void {
  const { y, b = y, c, length, weights = 0, weightStride = 0, inputs = 0 } = code;
  const items = time === ROW || time === AFTER_ROW ? plan.width / places.every : plan.chunkImages;
  const most = OUTPUTS * Math.floor(PANEL / OUTPUTS / inputs);
  if (items < FEWEST_FOR_PANEL || most === 0) {
    plan.emit(time, { ...code, op: 'productPacked' }, places);
    return;
  }
  const { panel } = plan;
  for (let from = 0; from < length; from += most) {
    const some = { length: Math.min(most, length - from), inputs };
    const block = weights + (from / OUTPUTS) * weightStride;
    plan.emit(
      time,
      { op: 'unpack', y: panel, a: panel, c: later(c, from), weights: block, weightStride, ...some },
      places,
    );
    const unpacked = { weights: panel.offset, weightStride: 4 * inputs }; // [outputs/4,inputs,4]
    plan.emit(time, { ...code, y: later(y, from), b: later(b, from), ...some, ...unpacked }, places);
  }
}
