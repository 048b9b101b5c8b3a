import { Op, Word } from '../encoding';
import { exp } from './exp';
import { tanhTimesSigmoid } from './gate-f32';
import { addressOf, floats, INSTRUCTION, parameter, STRIDE, word } from './instruction';
import { product } from './product';
import { storeFirst, V } from './vector';

// The operations that sampling runs most; ../javascript.ts has these and all others in JavaScript.
// Every sum runs over inputs in order, and rounds in each step, so both return the same bits.

/** Runs instructions in [at, end) up to the first that is not implemented here, and returns where it ended. */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op: i32 = word(at, Word.op);
    if (op > Op.leakyRelu) break;
    let y = addressOf(at, Word.y, bases), a = addressOf(at, Word.a, bases), b = addressOf(at, Word.b, bases);
    const length = word(at, Word.length), columns = word(at, Word.columns);
    // Items, which are processed together: the images, or the columns of one image at a time.
    const isRow = columns != 0;
    const items = isRow ? columns : images, item = at + (isRow ? 4 : 0);
    const yItem = floats(item, Word.y + STRIDE), aItem = floats(item, Word.a + STRIDE), bItem = floats(item, Word.b + STRIDE);
    for (let rounds = isRow ? images : 1; rounds > 0; rounds--) {
      if (op == Op.product) {
        const w = floats(at, Word.weights), wStride = floats(at, Word.weightStride), inputs = word(at, Word.inputs);
        product(y, yItem, b, bItem, a, aItem, w, wStride, items, inputs, length, <f32>parameter(at));
      } else {
        let bytes = length * 4, n = items;
        if (yItem == bytes && aItem == bytes && bItem == bytes) bytes *= items, n = 1; // all items are contiguous
        for (let yn = y, an = a, bn = b; n > 0; n--, yn += yItem, an += aItem, bn += bItem) {
          pointwise(op, yn, an, bn, bytes, parameter(at));
        }
      }
      y += floats(at, Word.y + STRIDE);
      a += floats(at, Word.a + STRIDE);
      b += floats(at, Word.b + STRIDE);
    }
  }
  return at;
}

function pointwise(op: i32, y: usize, a: usize, b: usize, bytes: usize, parameter: f64): void {
  let i: usize = 0; // the last vector may extend beyond the numbers, to others that are not stored
  if (op <= Op.relu) {
    for (; i < bytes; i += V) storeFirst(y + i, simple(op, v128.load(a + i), v128.load(b + i)), bytes - i);
  } else {
    for (; i < bytes; i += V)
      storeFirst(y + i, map(op, v128.load(a + i), v128.load(b + i), parameter), bytes - i);
  }
}

/** Inlined, since a call would cost more. */
@inline
function simple(op: i32, x: v128, z: v128): v128 {
  if (op == Op.add) return f32x4.add(x, z);
  if (op == Op.multiply) return f32x4.mul(x, z);
  return op == Op.copy ? x : f32x4.pmax(x, f32x4.splat(0));
}

function map(op: i32, x: v128, z: v128, parameter: f64): v128 {
  if (op == Op.gate) return tanhTimesSigmoid(x, z);
  const upper = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  const low = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(x), parameter));
  const high = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(upper), parameter));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}

/** Activations that are computed in float64. */
function exactly(op: i32, x: v128, parameter: f64): v128 {
  const one = f64x2.splat(1), size = f64x2.abs(x);
  const opposite = op == Op.tanh ? f64x2.add(size, size) : x;
  const exponent = op == Op.elu ? x : f64x2.neg(opposite);
  // e^710 is Infinity; pmin(x, y) keeps an x that is NaN
  const e = exp(f64x2.pmin(exponent, f64x2.splat(710)));
  const difference = f64x2.sub(e, one), sum = f64x2.add(e, one);
  if (op >= Op.elu) {
    const below = f64x2.mul(f64x2.splat(parameter), op == Op.elu ? difference : x);
    return v128.bitselect(x, below, f64x2.gt(x, f64x2.splat(0)));
  }
  if (op == Op.sigmoid) return f64x2.div(one, sum);
  if (op == Op.swish) return f64x2.mul(x, f64x2.div(one, sum));
  const tanh = f64x2.neg(f64x2.div(difference, sum));
  const x2 = f64x2.mul(x, x);
  const slope = f64x2.sub(f64x2.mul(x2, f64x2.splat(2.0 / 15)), f64x2.splat(1.0 / 3));
  const series = f64x2.mul(size, f64x2.add(one, f64x2.mul(x2, slope)));
  const y = v128.bitselect(series, tanh, f64x2.lt(size, f64x2.splat(1.0 / 64)));
  return v128.or(y, v128.and(x, f64x2.splat(-0.0)));
}
