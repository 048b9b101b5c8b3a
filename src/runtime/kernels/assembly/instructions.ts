import { Op, Word } from '../encoding';
import { tanhTimesSigmoid } from './gate-f32';
import { addressOf, floats, INSTRUCTION, parameter, STRIDE, word } from './instruction';
import { depthwise, product } from './product';
import { storeFirst, V } from './vector';

// The operations that sampling runs most; ../javascript.ts has these and all others in JavaScript.
// Every sum runs over inputs in order, and rounds in each step, so both return the same bits.

/** Runs instructions in [at, end) up to the first that is not implemented here, and returns where it ended. */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op: i32 = word(at, Word.op);
    if (op > Op.gate) break;
    let y = addressOf(at, Word.y, bases), a = addressOf(at, Word.a, bases), b = addressOf(at, Word.b, bases);
    const length = word(at, Word.length), columns = word(at, Word.columns);
    // Items, which are processed together: the images, or the columns of one image at a time.
    const isRow = columns != 0;
    const items = isRow ? columns : images, item = at + (isRow ? 4 : 0);
    const yItem = floats(item, Word.y + STRIDE), aItem = floats(item, Word.a + STRIDE), bItem = floats(item, Word.b + STRIDE);
    for (let rounds = isRow ? images : 1; rounds > 0; rounds--) {
      if (op == Op.product) {
        const w = floats(at, Word.weights), wStride = floats(at, Word.weightStride), inputs = word(at, Word.inputs);
        const span = word(at, Word.span), gap = floats(at, Word.gap);
        product(y, yItem, b, bItem, a, aItem, w, wStride, items, inputs, span, gap, length, <f32>parameter(at));
      } else if (op == Op.depthwise) {
        const w = floats(at, Word.weights), wRow = floats(at, Word.weightStride), gap = floats(at, Word.gap);
        for (let n: usize = 0; n < items; n++) {
          depthwise(
            y + n * yItem, b + n * bItem, a + n * aItem, gap, w, wRow, word(at, Word.inputs), 4 * length, <f32>parameter(at),
          );
        }
      } else {
        let bytes = length * 4, n = items;
        if (yItem == bytes && aItem == bytes && bItem == bytes) bytes *= items, n = 1; // all items are contiguous
        for (let yn = y, an = a, bn = b; n > 0; n--, yn += yItem, an += aItem, bn += bItem) {
          pointwise(op, yn, an, bn, bytes);
        }
      }
      y += floats(at, Word.y + STRIDE);
      a += floats(at, Word.a + STRIDE);
      b += floats(at, Word.b + STRIDE);
    }
  }
  return at;
}

function pointwise(op: i32, y: usize, a: usize, b: usize, bytes: usize): void {
  // the last vector may extend beyond the numbers, to others that are not stored
  for (let i: usize = 0; i < bytes; i += V) storeFirst(y + i, map(op, v128.load(a + i), v128.load(b + i)), bytes - i);
}

/** Inlined, since a call would cost more. */
@inline
function map(op: i32, x: v128, z: v128): v128 {
  if (op == Op.add) return f32x4.add(x, z);
  if (op == Op.multiply) return f32x4.mul(x, z);
  if (op == Op.copy) return x;
  return op == Op.relu ? f32x4.pmax(x, f32x4.splat(0)) : tanhTimesSigmoid(x, z);
}
