import { exp } from './exp';
import { tanhTimesSigmoid } from './gate-f32';
import { product } from './product';
import { V } from './vector';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD. Addresses and
// strides count bytes here.
//
// What sampling runs; ../javascript.ts is the same in JavaScript. Every sum runs over inputs in order, one
// rounding a step, so both give the same bits.

// Op, in ../instruction.ts
const PRODUCT: u32 = 0, ADD: u32 = 1, MULTIPLY: u32 = 2, COPY: u32 = 3, RELU: u32 = 4;
const SIGMOID: u32 = 5, GATE: u32 = 7; // tanh is 6

// Word, in ../instruction.ts, in bytes: of an operand base, offset, stride and column stride
const Y: usize = 4, A: usize = 20, B: usize = 36, STRIDE: usize = 8, COLUMN_STRIDE: usize = 12;
const LENGTH: usize = 52, COLUMNS: usize = 56;
const WEIGHTS: usize = 60, WEIGHT_STRIDE: usize = 64, INPUTS: usize = 68, LEAST: usize = 72;
const INSTRUCTION: usize = 76;

/** The instructions in [at, end), on so many images; see `Instruction` in ../instruction.ts. */
export function run(at: usize, end: usize, bases: usize, images: usize): void {
  for (; at < end; at += INSTRUCTION) {
    const op = load<u32>(at);
    let y = operand(at + Y, bases), a = operand(at + A, bases), b = operand(at + B, bases);
    const length: usize = load<u32>(at + LENGTH), columns: usize = load<u32>(at + COLUMNS);
    const yImage = floats(at + Y + STRIDE);
    const aImage = floats(at + A + STRIDE);
    const bImage = floats(at + B + STRIDE);
    // Items side by side: the images, or the columns of one image after the other.
    let rounds: usize = 1, items = images, yItem = yImage, aItem = aImage, bItem = bImage;
    if (columns != 0) {
      rounds = images;
      items = columns;
      yItem = floats(at + Y + COLUMN_STRIDE);
      aItem = floats(at + A + COLUMN_STRIDE);
      bItem = floats(at + B + COLUMN_STRIDE);
    }
    for (; rounds > 0; rounds--, y += yImage, a += aImage, b += bImage) {
      if (op == PRODUCT) {
        const w = floats(at + WEIGHTS), wStride = floats(at + WEIGHT_STRIDE);
        const inputs: usize = load<u32>(at + INPUTS), least = load<f32>(at + LEAST);
        product(y, yItem, b, bItem, a, aItem, w, wStride, items, inputs, length, least);
      } else {
        for (let n: usize = 0; n < items; n++) {
          pointwise(op, y + n * yItem, a + n * aItem, b + n * bItem, length * 4);
        }
      }
    }
  }
}

/** A word that counts floats, in bytes. */
// @ts-ignore: decorator
@inline
function floats(word: usize): usize {
  return load<u32>(word) << 2;
}

/** The address of an operand: a base and an offset, two words. */
// @ts-ignore: decorator
@inline
function operand(words: usize, bases: usize): usize {
  return (load<u32>(bases + (load<u32>(words) << 2)) + load<u32>(words + 4)) << 2;
}

/** An operation on each of some values by itself. */
function pointwise(op: u32, y: usize, a: usize, b: usize, bytes: usize): void {
  let i: usize = 0;
  if (op == ADD || op == MULTIPLY) {
    for (; i + V <= bytes; i += V) {
      const s = v128.load(a + i), t = v128.load(b + i);
      v128.store(y + i, op == ADD ? f32x4.add(s, t) : f32x4.mul(s, t));
    }
  } else {
    for (; i + V <= bytes; i += V) v128.store(y + i, map(op, v128.load(a + i), v128.load(b + i)));
  }
  for (; i < bytes; i += 4) {
    const s = v128.load_splat<f32>(a + i), t = v128.load_splat<f32>(b + i);
    const x = op == ADD ? f32x4.add(s, t) : op == MULTIPLY ? f32x4.mul(s, t) : map(op, s, t);
    store<f32>(y + i, f32x4.extract_lane(x, 0));
  }
}

function map(op: u32, x: v128, z: v128): v128 {
  if (op == COPY) return x;
  if (op == RELU) return f32x4.pmax(x, f32x4.splat(0));
  return op == GATE ? tanhTimesSigmoid(x, z) : sigmoidOrTanh(op, x);
}

function sigmoidOrTanh(op: u32, x: v128): v128 {
  const upper = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  const low = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(x)));
  const high = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(upper)));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}

/** The same in float64. */
function exactly(op: u32, x: v128): v128 {
  const one = f64x2.splat(1), size = f64x2.abs(x);
  const isSigmoid = op == SIGMOID;
  // pmin(x, y) keeps an x that is NaN
  const e = exp(isSigmoid ? f64x2.pmin(f64x2.neg(x), f64x2.splat(709)) : f64x2.mul(f64x2.splat(-2), size));
  if (isSigmoid) return f64x2.div(one, f64x2.add(one, e));
  const tanh = f64x2.div(f64x2.sub(one, e), f64x2.add(one, e));
  const x2 = f64x2.mul(x, x);
  const slope = f64x2.sub(f64x2.mul(x2, f64x2.splat(2.0 / 15)), f64x2.splat(1.0 / 3));
  const series = f64x2.mul(size, f64x2.add(one, f64x2.mul(x2, slope)));
  const y = v128.bitselect(series, tanh, f64x2.lt(size, f64x2.splat(1.0 / 64)));
  return v128.or(y, v128.and(x, f64x2.splat(-0.0)));
}
