import { Word } from '../encoding';
import { floats, parameter, word } from './instruction';
import { V } from './vector';

// Products of packed weights, see ../packed.ts.

/** The bits of a half in float32. V8 would make the constant anew in each round; what is loaded, here a zero, is none. */
@inline
function bitsOfHalf(at: usize): v128 {
  return i32x4.splat(0x8fffe000 | <i32>word(at, Word.op) >> 31);
}

/**
 * The bits of four weights, the upper halves of four words. The lower halves, which belong to the four outputs before, are upper
 * halves if read from two bytes earlier.
 */
@inline
function upper(w: usize, bits: v128): v128 {
  return v128.and(i32x4.shr_s(v128.load(w), 3), bits);
}

const LOWER: usize = -2;

/** Four weights: their bits, times their factors. */
@inline
function four(w: usize, bits: v128, factors: v128): v128 {
  return f32x4.mul(upper(w, bits), factors);
}

/**
 * As `one` in product.ts, 16 outputs at once. The factor of halves multiplies inputs, once for all outputs: as a power of two, it
 * changes no rounding. If that makes an input infinite, no sum is finite; then it multiplies the weights, as other factors do.
 */
export function productPacked(at: usize, y: usize, x: usize, start: usize, factors: usize): void {
  const bound = f32x4.splat(<f32>parameter(at)), bits = bitsOfHalf(at);
  const block = floats(at, Word.weightStride);
  const inputBytes = word(at, Word.inputs) * V, span = word(at, Word.span) * V, gap = floats(at, Word.gap);
  let w = floats(at, Word.weights);
  for (let left = floats(at, Word.length); left > 0; left -= min(left, 4 * V)) {
    const second: usize = left > 2 * V ? block : 0; // there may be no second block
    let isOfInputs = areOfHalves(factors);
    let a: v128, b: v128, c: v128, d: v128;
    while (true) {
      a = v128.load(start), b = v128.load(start, 16), c = v128.load(start, 32), d = v128.load(start, 48);
      let xi = x, wi = w;
      for (const end = w + inputBytes; wi < end; xi += gap) {
        const next = min(wi + span, end);
        if (isOfInputs) {
          for (; wi < next; xi += 4, wi += V) {
            const s = f32x4.mul(v128.load_splat<f32>(xi), v128.load(factors));
            a = f32x4.add(a, f32x4.mul(s, upper(wi + LOWER, bits)));
            b = f32x4.add(b, f32x4.mul(s, upper(wi, bits)));
            c = f32x4.add(c, f32x4.mul(s, upper(wi + second + LOWER, bits)));
            d = f32x4.add(d, f32x4.mul(s, upper(wi + second, bits)));
          }
        } else {
          for (; wi < next; xi += 4, wi += V) {
            const s = v128.load_splat<f32>(xi);
            a = f32x4.add(a, f32x4.mul(s, four(wi + LOWER, bits, v128.load(factors))));
            b = f32x4.add(b, f32x4.mul(s, four(wi, bits, v128.load(factors, 16))));
            c = f32x4.add(c, f32x4.mul(s, four(wi + second + LOWER, bits, v128.load(factors, 32))));
            d = f32x4.add(d, f32x4.mul(s, four(wi + second, bits, v128.load(factors, 48))));
          }
        }
      }
      if (!isOfInputs || f32x4.extract_lane(f32x4.sub(a, a), 0) == 0) break;
      isOfInputs = false;
    }
    v128.store(y, f32x4.pmax(a, bound));
    if (left > V) v128.store(y, f32x4.pmax(b, bound), 16);
    if (left > 2 * V) v128.store(y, f32x4.pmax(c, bound), 32);
    if (left > 3 * V) v128.store(y, f32x4.pmax(d, bound), 48);
    y += 4 * V, start += 4 * V, factors += 4 * V, w += 2 * block;
  }
}

/** Whether the factors of 16 outputs are FACTOR of packed.ts. */
@inline
function areOfHalves(at: usize): bool {
  const f = i32x4.splat(102 + 127 << 23);
  const some = v128.and(i32x4.eq(v128.load(at), f), i32x4.eq(v128.load(at, 16), f));
  return i32x4.all_true(v128.and(some, v128.and(i32x4.eq(v128.load(at, 32), f), i32x4.eq(v128.load(at, 48), f))));
}

/** Writes the weights as float32, [outputs/4][inputs][4]. */
export function unpack(at: usize, y: usize, factors: usize): void {
  const bits = bitsOfHalf(at);
  const block = word(at, Word.inputs) * V, end = y + (word(at, Word.length) >> 2) * block;
  let w = floats(at, Word.weights);
  const gap = floats(at, Word.weightStride) - block; // other inputs
  for (; y < end; y += block, factors += 2 * V, w += gap) {
    const f0 = v128.load(factors), f1 = v128.load(factors, 16);
    for (const next = y + block; y < next; y += V, w += V) {
      v128.store(y, four(w + LOWER, bits, f0));
      v128.store(y + block, four(w, bits, f1));
    }
  }
}
