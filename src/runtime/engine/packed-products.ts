import type { KernelWindow } from '../core/window';
import type { Instruction, Operand } from '../kernels/instruction';
import { TOGETHER } from '../kernels/packed';
import { type PackedWeight, packedOf, type Weight } from '../program/program';
import { AFTER_ROW, ROW } from '../program/times';
import type { Layout } from './layout';
import type { Places } from './places';
import type { Plan } from './plan';

// Products of weights that stay packed in the heap, which takes a half or a quarter of the memory, and of the time that one
// image waits for it.

/** The form in which a kernel can stay packed; null if it can not. */
export function packedFor(
  weight: Weight,
  { groups = 1 }: KernelWindow,
  { runs }: Layout,
): PackedWeight | null {
  const found = packedOf(weight);
  if (found === null || groups > 1) return null;
  return runs.every(({ range }) => range[0] % TOGETHER === 0) ? found : null;
}

/** With fewer images or columns, weights are unpacked into registers for each; with more, once for all. */
const FEWEST_FOR_PANEL = 4;

/** The floats of unpacked weights that a near cache holds. */
const PANEL = 2 ** 14;

/** Adds a product of packed weights, with the scales of integers at c. */
export function addPacked(plan: Plan, time: number, code: Instruction, places: Places): void {
  const { y, b = y, c, length, weights = 0, weightStride = 0, inputs = 0 } = code;
  const form = c === undefined ? 'Float16' : 'Int8';
  const items = time === ROW || time === AFTER_ROW ? plan.width / places.every : plan.chunkImages;
  if (items < FEWEST_FOR_PANEL) {
    plan.emit(time, { ...code, op: `product${form}` }, places);
    return;
  }
  const outputs = c === undefined ? 8 : 16; // of a vector
  const most = outputs * Math.max(1, Math.floor(PANEL / inputs / outputs));
  const at = (operand: Operand, from: number) => ({ ...operand, offset: operand.offset + from });
  for (let from = 0; from < length; from += most) {
    const some = { length: Math.min(most, length - from), inputs };
    const panel = plan.scratch(outputs * Math.ceil(some.length / outputs) * inputs);
    const ofSome = {
      weights: weights + (from / outputs) * weightStride,
      weightStride,
      c: at(c ?? panel, from),
    };
    plan.emit(time, { op: `unpack${form}`, y: panel, a: panel, ...some, ...ofSome }, places);
    const unpacked = { weights: panel.offset, weightStride: 4 * inputs }; // [outputs/4,inputs,4]
    plan.emit(time, { ...code, y: at(y, from), b: at(b, from), ...some, ...unpacked }, places);
  }
}

/** Some memory, all zeros, as numbers like those of a kernel. */
export function viewLike(
  kernel: Float32Array | PackedWeight['packed'],
  { buffer, byteOffset, byteLength }: Float32Array,
): typeof kernel {
  const Numbers = kernel.constructor as Float32ArrayConstructor;
  return new Numbers(buffer, byteOffset, byteLength / kernel.BYTES_PER_ELEMENT);
}
