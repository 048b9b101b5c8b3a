import { exp } from './exp';
import { product } from './product';
import { V } from './vector';

// What sampling runs; ../javascript.ts is the same in JavaScript. Every sum runs over inputs in order, one rounding a step, so both give the
// same bits.

// Op, in ../instruction.ts
const PRODUCT: u32 = 0, ADD: u32 = 1, MULTIPLY: u32 = 2, COPY: u32 = 3, RELU: u32 = 4, SIGMOID: u32 = 5; // tanh is 6

const INSTRUCTION: usize = 64; // bytes

/** The instructions in [at, end), on so many images; see `Instruction` in ../instruction.ts for their words. */
export function run(at: usize, end: usize, places: usize, images: usize): void {
  for (; at < end; at += INSTRUCTION) {
    const op = load<u32>(at);
    const y = operand(at + 4, places), yStride: usize = load<u32>(at + 12) << 2;
    const a = operand(at + 16, places), aStride: usize = load<u32>(at + 24) << 2;
    const b = operand(at + 28, places), bStride: usize = load<u32>(at + 36) << 2;
    const length: usize = load<u32>(at + 40);
    if (op == PRODUCT) {
      const w: usize = load<u32>(at + 44) << 2, wStride: usize = load<u32>(at + 48) << 2;
      product(y, yStride, b, bStride, a, aStride, w, wStride, images, load<u32>(at + 52), length, load<f32>(at + 56));
    } else if (op <= MULTIPLY) {
      for (let n: usize = 0; n < images; n++) {
        for (let i: usize = 0; i < length * 4; i += V) {
          const s = v128.load(a + n * aStride + i), t = v128.load(b + n * bStride + i);
          v128.store(y + n * yStride + i, op == ADD ? f32x4.add(s, t) : f32x4.mul(s, t));
        }
      }
    } else {
      for (let n: usize = 0; n < images; n++) {
        for (let i: usize = 0; i < length * 4; i += V) {
          v128.store(y + n * yStride + i, map(op, v128.load(a + n * aStride + i)));
        }
      }
    }
  }
}

/** The address of an operand: a place and an offset, two words. */
// @ts-ignore: decorator
@inline
function operand(words: usize, places: usize): usize {
  return (load<u32>(places + (load<u32>(words) << 2)) + load<u32>(words + 4)) << 2;
}

// @ts-ignore: decorator
@inline
function map(op: u32, x: v128): v128 {
  if (op == COPY) return x;
  if (op == RELU) return f32x4.pmax(x, f32x4.splat(0));
  const low = f32x4.demote_f64x2_zero(sigmoidOrTanh(op, f64x2.promote_low_f32x4(x)));
  const high = f32x4.demote_f64x2_zero(sigmoidOrTanh(op, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3))));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}

function sigmoidOrTanh(op: u32, x: v128): v128 {
  const one = f64x2.splat(1), sign = f64x2.splat(-0.0);
  const isSigmoid = op == SIGMOID;
  // pmin(x, y) keeps an x that is NaN
  const e = exp(isSigmoid ? f64x2.pmin(f64x2.neg(x), f64x2.splat(709)) : f64x2.mul(f64x2.splat(-2), f64x2.abs(x)));
  const y = f64x2.div(isSigmoid ? one : f64x2.sub(one, e), f64x2.add(one, e));
  return isSigmoid ? y : v128.or(y, v128.and(x, sign));
}
