import { Op, Word } from '../encoding';
import { attend } from './attention';
import { exp as exp64 } from './exp';
import { exp, oneMinusExp } from './exp-f32';
import { timesSigmoid } from './gate-f32';
import { floats, INSTRUCTION, parameter, placeOf, word } from './instruction';
import { addRows } from './lookup';
import { productPacked, unpack } from './packed-product';
import { storeFirst, V } from './vector';

// Instructions that would make the module of instructions.ts too large; ../javascript.ts has their JavaScript
// equivalents. Attention and packed weights have their own module, where IS_ATTENTION is 1. The other has lookups, the parts of
// PixelCNN++ blocks, and the activations of one number but for ReLU.

/** Like `run` in instructions.ts. */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op: i32 = word(at, Word.op);
    if (!(IS_ATTENTION ? op >= Op.attend : op >= Op.lookup && op <= Op.leakyRelu)) break;
    const columns = max(word(at, Word.columns), 1), bytes = floats(at, Word.length);
    for (let n: usize = 0; n < images; n++) {
      for (let column: usize = 0; column < columns; column++) {
        const y = placeOf(at, Word.y, bases, n, column), a = placeOf(at, Word.a, bases, n, column);
        const b = placeOf(at, Word.b, bases, n, column);
        if (IS_ATTENTION) {
          const c = placeOf(at, Word.c, bases, n, column);
          if (op == Op.attend) attend(at, y, a, b, c);
          else if (op == Op.productPacked) productPacked(at, y, a, b, c);
          else if (n + column == 0) unpack(at, y, c); // once for all
        }
        else if (op == Op.lookup) addRows(at, y, a, b);
        else if (op == Op.concatElu) concatElu(y, b, a, bytes);
        else if (op == Op.glu) glu(y, a, b, bytes);
        else if (op == Op.gelu) gelu(y, a, bytes);
        else activate(op, y, a, bytes, parameter(at));
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

function activate(op: i32, y: usize, a: usize, bytes: usize, parameter: f64): void {
  for (let i: usize = 0; i < bytes; i += V) {
    const x = v128.load(a + i), upper = v128.shuffle<f32>(x, x, 2, 3, 2, 3);
    const low = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(x), parameter));
    const high = f32x4.demote_f64x2_zero(exactly(op, f64x2.promote_low_f32x4(upper), parameter));
    storeFirst(y + i, v128.shuffle<f32>(low, high, 0, 1, 4, 5), bytes - i);
  }
}

/** Activations that are computed in float64. */
function exactly(op: i32, x: v128, parameter: f64): v128 {
  const one = f64x2.splat(1), size = f64x2.abs(x);
  const opposite = op == Op.tanh ? f64x2.add(size, size) : x;
  const exponent = op == Op.elu ? x : f64x2.neg(opposite);
  // e^710 is Infinity; pmin(x, y) keeps an x that is NaN
  const e = exp64(f64x2.pmin(exponent, f64x2.splat(710)));
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
