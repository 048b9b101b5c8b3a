import { Op, Word } from '../encoding';
import { attend } from './attention';
import { exp, oneMinusExp } from './exp-f32';
import { timesSigmoid } from './gate-f32';
import { floats, INSTRUCTION, placeOf, word } from './instruction';
import { addRows } from './lookup';
import { storeFirst, V } from './vector';

// Instructions that would make the module of instructions.ts too large; ../javascript.ts has their JavaScript
// equivalents. Attention has its own module, where IS_ATTENTION is 1. The other has lookups, the parts of
// PixelCNN++ blocks, and GELU.

/** Like `run` in instructions.ts. */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op: i32 = word(at, Word.op);
    if (!(IS_ATTENTION ? op == Op.attend : op >= Op.lookup && op <= Op.gelu)) break;
    const columns = max(word(at, Word.columns), 1), bytes = floats(at, Word.length);
    for (let n: usize = 0; n < images; n++) {
      for (let column: usize = 0; column < columns; column++) {
        const y = placeOf(at, Word.y, bases, n, column), a = placeOf(at, Word.a, bases, n, column);
        const b = placeOf(at, Word.b, bases, n, column);
        if (IS_ATTENTION) attend(at, y, a, b, placeOf(at, Word.c, bases, n, column));
        else if (op == Op.lookup) addRows(at, y, a, b);
        else if (op == Op.concatElu) concatElu(y, b, a, bytes);
        else if (op == Op.glu) glu(y, a, b, bytes);
        else gelu(y, a, bytes);
      }
    }
  }
  return at;
}

// The last vector may extend beyond the features, to numbers that are read but not stored.

/** Writes elu(a) to y and elu(-a) to b, with a single exponential, since one of a and -a is not negative. */
function concatElu(y: usize, b: usize, a: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += V) {
    const x = v128.load(a + i), size = f32x4.abs(x);
    const below = f32x4.sub(f32x4.splat(0), oneMinusExp(f32x4.neg(size))); // elu(-|x|)
    storeFirst(y + i, ifAbove(x, x, below), bytes - i);
    storeFirst(b + i, ifAbove(x, below, size), bytes - i);
  }
}

@inline
function ifAbove(x: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, f32x4.gt(x, f32x4.splat(0)));
}

/** y = a sigmoid(b) */
function glu(y: usize, a: usize, b: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += V)
    storeFirst(y + i, timesSigmoid(v128.load(a + i), v128.load(b + i)), bytes - i);
}

/** x times the normal distribution function of x. */
function gelu(y: usize, a: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += V) storeFirst(y + i, geluOf(v128.load(a + i)), bytes - i);
}

@inline
function geluOf(x: v128): v128 {
  const one = f32x4.splat(1), scaled = f32x4.mul(f32x4.splat(0.23164189), f32x4.abs(x));
  const t = f32x4.div(one, f32x4.add(one, scaled));
  let series = f32x4.add(f32x4.mul(f32x4.splat(0.5307027), t), f32x4.splat(-0.726576));
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(0.7107069));
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(-0.14224836));
  series = f32x4.add(f32x4.mul(series, t), f32x4.splat(0.1274148));
  const tail = f32x4.mul(f32x4.mul(series, t), exp(f32x4.mul(f32x4.mul(f32x4.splat(-0.5), x), x)));
  return f32x4.mul(x, ifAbove(x, f32x4.sub(one, tail), tail));
}
