import {
  A,
  B,
  COLUMN_STRIDE,
  COLUMNS,
  floats,
  INPUTS,
  INSTRUCTION,
  LENGTH,
  operand,
  PARAMETER,
  STRIDE,
  WEIGHT_STRIDE,
  WEIGHTS,
  Y,
} from './encoding';
import { exp } from './exp';
import { tanhTimesSigmoid } from './gate-f32';
import { product } from './product';
import { V } from './vector';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD. Addresses and
// strides count bytes here.
//
// The operations that sampling runs most; ../javascript.ts has these and all others in JavaScript. Every sum runs over
// inputs in order, with one rounding in each step, so both give the same bits.

// Op, in ../instruction.ts
const PRODUCT: u32 = 0, ADD: u32 = 1, MULTIPLY: u32 = 2, COPY: u32 = 3, RELU: u32 = 4;
const GATE: u32 = 5, SIGMOID: u32 = 6, TANH: u32 = 7, SWISH: u32 = 8, ELU: u32 = 9, LEAKY_RELU: u32 = 10;
const LAST: u32 = LEAKY_RELU;

/**
 * Runs the instructions in [at, end) on a number of images, up to the first one that is not implemented here, and
 * returns its position, or the end. See `Instruction` in ../instruction.ts.
 */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op = load<u32>(at);
    if (op > LAST) break;
    let y = operand(at + Y, bases), a = operand(at + A, bases), b = operand(at + B, bases);
    const length: usize = load<u32>(at + LENGTH), columns: usize = load<u32>(at + COLUMNS);
    // Items side by side: the images, or the columns of one image after the other.
    const isRow = columns != 0;
    const items = isRow ? columns : images, stride = at + (isRow ? COLUMN_STRIDE : STRIDE);
    const yItem = floats(stride + Y), aItem = floats(stride + A), bItem = floats(stride + B);
    for (let rounds = isRow ? images : 1; rounds > 0; rounds--) {
      if (op == PRODUCT) {
        const w = floats(at + WEIGHTS), wStride = floats(at + WEIGHT_STRIDE);
        const inputs: usize = load<u32>(at + INPUTS), lowerBound = <f32>load<f64>(at + PARAMETER);
        product(y, yItem, b, bItem, a, aItem, w, wStride, items, inputs, length, lowerBound);
      } else {
        const parameter = load<f64>(at + PARAMETER);
        let bytes = length * 4, n = items;
        if (yItem == bytes && aItem == bytes && bItem == bytes) bytes *= items, n = 1; // one after the other
        for (let yn = y, an = a, bn = b; n > 0; n--, yn += yItem, an += aItem, bn += bItem) {
          pointwise(op, yn, an, bn, bytes, parameter);
        }
      }
      y += floats(at + Y + STRIDE);
      a += floats(at + A + STRIDE);
      b += floats(at + B + STRIDE);
    }
  }
  return at;
}

/** An elementwise operation. */
function pointwise(op: u32, y: usize, a: usize, b: usize, bytes: usize, parameter: f64): void {
  let i: usize = 0;
  if (op <= RELU) {
    for (; i + V <= bytes; i += V) v128.store(y + i, simple(op, v128.load(a + i), v128.load(b + i)));
  } else {
    for (; i + V <= bytes; i += V) {
      v128.store(y + i, map(op, v128.load(a + i), v128.load(b + i), parameter));
    }
  }
  for (; i < bytes; i += 4) {
    const x = v128.load_splat<f32>(a + i), z = v128.load_splat<f32>(b + i);
    v128.store_lane<f32>(y + i, op <= RELU ? simple(op, x, z) : map(op, x, z, parameter), 0);
  }
}

/** Inlined, since it is not worth a call. */
// @ts-ignore: decorator
@inline
function simple(op: u32, x: v128, z: v128): v128 {
  if (op == ADD) return f32x4.add(x, z);
  if (op == MULTIPLY) return f32x4.mul(x, z);
  return op == COPY ? x : f32x4.pmax(x, f32x4.splat(0));
}

function map(op: u32, x: v128, z: v128, parameter: f64): v128 {
  if (op == GATE) return tanhTimesSigmoid(x, z);
  const upper = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
  const low = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(x), parameter));
  const high = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(upper), parameter));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}

/** In float64. */
function exactly(op: u32, x: v128, parameter: f64): v128 {
  const one = f64x2.splat(1), size = f64x2.abs(x);
  const opposite = op == TANH ? f64x2.add(size, size) : x;
  const exponent = op == ELU ? x : f64x2.neg(opposite);
  // e^710 is Infinity; pmin(x, y) keeps an x that is NaN
  const e = exp(f64x2.pmin(exponent, f64x2.splat(710)));
  const difference = f64x2.sub(e, one), sum = f64x2.add(e, one);
  if (op >= ELU) {
    const below = f64x2.mul(f64x2.splat(parameter), op == ELU ? difference : x);
    return v128.bitselect(x, below, f64x2.gt(x, f64x2.splat(0)));
  }
  if (op == SIGMOID) return f64x2.div(one, sum);
  if (op == SWISH) return f64x2.mul(x, f64x2.div(one, sum));
  const tanh = f64x2.neg(f64x2.div(difference, sum));
  const x2 = f64x2.mul(x, x);
  const slope = f64x2.sub(f64x2.mul(x2, f64x2.splat(2.0 / 15)), f64x2.splat(1.0 / 3));
  const series = f64x2.mul(size, f64x2.add(one, f64x2.mul(x2, slope)));
  const y = v128.bitselect(series, tanh, f64x2.lt(size, f64x2.splat(1.0 / 64)));
  return v128.or(y, v128.and(x, f64x2.splat(-0.0)));
}
