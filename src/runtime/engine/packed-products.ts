import type { KernelWindow } from '../core/window';
import { FACTOR, normalHalves, toFloat16 } from '../kernels/float16';
import type { Instruction, Operand } from '../kernels/instruction';
import { OUTPUTS, TOGETHER } from '../kernels/packed';
import { packedOf, type Weight } from '../program/program';
import { AFTER_ROW, ROW } from '../program/times';
import type { Layout } from './layout';
import type { Places } from './places';
import type { Plan } from './plan';

// Products of weights that stay packed in the heap, which takes half of the memory, and of the time that one image waits for it.

/** Halves of a kernel, and a factor of each output feature. */
interface Packed {
  readonly halves: Uint16Array;
  readonly factors: Float32Array;
}

/** A kernel that stays packed; null for others. */
export function packedFor(weight: Weight, { groups = 1 }: KernelWindow, { runs }: Layout): Packed | null {
  const found = packedOf(weight);
  if (found === null || groups > 1 || runs.some(({ range }) => range[0] % TOGETHER !== 0)) return null;
  const { packed, scales, shape } = found;
  const factors =
    scales?.map((scale) => 2 * scale * FACTOR) ?? new Float32Array(shape.at(-1) as number).fill(FACTOR);
  const halves =
    packed instanceof Uint16Array ? packed : toFloat16(Float32Array.from(packed, (integer) => integer / 2)); // at most 64
  return { halves: normalHalves(halves), factors };
}

/** With fewer images or columns, weights are unpacked into registers for each; with more, once for all. */
const FEWEST_FOR_PANEL = 4;

/** The floats of unpacked weights that a near cache holds. */
const PANEL = 2 ** 14;

/** Adds a product of packed weights, with their factors at c. */
export function addPacked(
  plan: Plan,
  time: number,
  code: Instruction & { readonly c: Operand },
  places: Places,
): void {
  const { y, b = y, c, length, weights = 0, weightStride = 0, inputs = 0 } = code;
  const items = time === ROW || time === AFTER_ROW ? plan.width / places.every : plan.chunkImages;
  if (items < FEWEST_FOR_PANEL) {
    plan.emit(time, { ...code, op: 'productPacked' }, places);
    return;
  }
  const most = OUTPUTS * Math.max(1, Math.floor(PANEL / inputs / OUTPUTS));
  const at = (operand: Operand, from: number) => ({ ...operand, offset: operand.offset + from });
  for (let from = 0; from < length; from += most) {
    const some = { length: Math.min(most, length - from), inputs };
    const panel = plan.scratch(OUTPUTS * Math.ceil(some.length / OUTPUTS) * inputs);
    const ofSome = { weights: weights + (from / OUTPUTS) * weightStride, weightStride, c: at(c, from) };
    plan.emit(time, { op: 'unpack', y: panel, a: panel, ...some, ...ofSome }, places);
    const unpacked = { weights: panel.offset, weightStride: 4 * inputs }; // [outputs/4,inputs,4]
    plan.emit(time, { ...code, y: at(y, from), b: at(b, from), ...some, ...unpacked }, places);
  }
}
