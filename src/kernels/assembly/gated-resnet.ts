import { A, B, COLUMN_STRIDE, COLUMNS, floats, INSTRUCTION, LENGTH, operand, STRIDE, Y } from './encoding';
import { oneMinusExp } from './exp-f32';
import { timesSigmoid } from './gate-f32';
import { V } from './vector';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD. Addresses and
// strides count bytes here.
//
// The parts of PixelCNN++ blocks other than convolutions; ../javascript.ts has the same in JavaScript.

const CONCAT_ELU: u32 = 28, LINEAR_GATE: u32 = 29; // Op, in ../instruction.ts

/**
 * Runs the instructions in [at, end) on a number of images, up to the first one that is not implemented here, and
 * returns its position.
 */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op = load<u32>(at);
    if (op != CONCAT_ELU && op != LINEAR_GATE) break;
    const columns: usize = max(load<u32>(at + COLUMNS), 1), bytes = floats(at + LENGTH);
    let y = operand(at + Y, bases), a = operand(at + A, bases), b = operand(at + B, bases);
    for (let n = images; n > 0; n--) {
      let yn = y, an = a, bn = b;
      for (let column: usize = 0; column < columns; column++) {
        if (op == CONCAT_ELU) concatElu(yn, bn, an, bytes);
        else linearGate(yn, an, bn, bytes);
        yn += floats(at + Y + COLUMN_STRIDE);
        an += floats(at + A + COLUMN_STRIDE);
        bn += floats(at + B + COLUMN_STRIDE);
      }
      y += floats(at + Y + STRIDE);
      a += floats(at + A + STRIDE);
      b += floats(at + B + STRIDE);
    }
  }
  return at;
}

// Whole vectors, then what is left one number at a time.

/** Writes elu(a) to y and elu(-a) to b, with a single exponential, since one of a and -a is not negative. */
function concatElu(y: usize, b: usize, a: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + V <= bytes; i += V) {
    const x = v128.load(a + i), below = eluBelow(x);
    v128.store(y + i, ifAbove(x, x, below));
    v128.store(b + i, ifAbove(x, below, f32x4.abs(x)));
  }
  for (; i < bytes; i += 4) {
    const x = v128.load32_splat(a + i), below = eluBelow(x);
    v128.store_lane<f32>(y + i, ifAbove(x, x, below), 0);
    v128.store_lane<f32>(b + i, ifAbove(x, below, f32x4.abs(x)), 0);
  }
}

/** elu(-|x|) */
// @ts-ignore: decorator
@inline
function eluBelow(x: v128): v128 {
  return f32x4.sub(f32x4.splat(0), oneMinusExp(f32x4.neg(f32x4.abs(x))));
}

// @ts-ignore: decorator
@inline
function ifAbove(x: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, f32x4.gt(x, f32x4.splat(0)));
}

/** y = a sigmoid(b) */
function linearGate(y: usize, a: usize, b: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + V <= bytes; i += V) v128.store(y + i, timesSigmoid(v128.load(a + i), v128.load(b + i)));
  for (; i < bytes; i += 4) {
    v128.store_lane<f32>(y + i, timesSigmoid(v128.load32_splat(a + i), v128.load32_splat(b + i)), 0);
  }
}
