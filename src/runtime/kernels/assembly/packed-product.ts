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
 * As `one` in product.ts, 32 outputs at once if their factors are those of halves: four blocks, since processors prefetch several
 * streams of memory at once. The factor of halves multiplies inputs, once for all outputs: as a power of two, it changes no rounding.
 * If that makes an input infinite, no sum is finite. Then, and for fewer outputs or other factors, factors multiply the weights
 * of 16 outputs at once.
 */
export function productPacked(at: usize, y: usize, x: usize, start: usize, factors: usize): void {
  const bound = f32x4.splat(<f32>parameter(at)), bits = bitsOfHalf(at);
  const block = floats(at, Word.weightStride);
  const inputBytes = word(at, Word.inputs) * V, span = word(at, Word.span) * V, gap = floats(at, Word.gap);
  let w = floats(at, Word.weights), left = floats(at, Word.length), areInputsFinite = true;
  while (left > 0) {
    let a = v128.load(start), b = v128.load(start, 16), c = v128.load(start, 32), d = v128.load(start, 48);
    let xi = x, wi = w, second = block, step = 4 * V;
    const end = w + inputBytes;
    if (areInputsFinite && left >= 8 * V && areOfHalves(factors)) {
      const third = 2 * block, fourth = 3 * block;
      let e = v128.load(start, 64), f = v128.load(start, 80), g = v128.load(start, 96), h = v128.load(start, 112);
      for (; wi < end; xi += gap) {
        for (const next = min(wi + span, end); wi < next; xi += 4, wi += V) {
          const s = f32x4.mul(v128.load_splat<f32>(xi), v128.load(factors));
          a = f32x4.add(a, f32x4.mul(s, upper(wi + LOWER, bits)));
          b = f32x4.add(b, f32x4.mul(s, upper(wi, bits)));
          c = f32x4.add(c, f32x4.mul(s, upper(wi + second + LOWER, bits)));
          d = f32x4.add(d, f32x4.mul(s, upper(wi + second, bits)));
          e = f32x4.add(e, f32x4.mul(s, upper(wi + third + LOWER, bits)));
          f = f32x4.add(f, f32x4.mul(s, upper(wi + third, bits)));
          g = f32x4.add(g, f32x4.mul(s, upper(wi + fourth + LOWER, bits)));
          h = f32x4.add(h, f32x4.mul(s, upper(wi + fourth, bits)));
        }
      }
      areInputsFinite = f32x4.extract_lane(f32x4.sub(a, a), 0) == 0;
      if (!areInputsFinite) continue;
      v128.store(y, f32x4.pmax(e, bound), 64);
      v128.store(y, f32x4.pmax(f, bound), 80);
      v128.store(y, f32x4.pmax(g, bound), 96);
      v128.store(y, f32x4.pmax(h, bound), 112);
      step = 8 * V;
    } else if (left <= 2 * V) second = 0; // there is no second block
    const fa = v128.load(factors), fb = v128.load(factors, 16), fc = v128.load(factors, 32), fd = v128.load(factors, 48);
    for (; wi < end; xi += gap) { // no input is left if 32 outputs are done
      for (const next = min(wi + span, end); wi < next; xi += 4, wi += V) {
        const s = v128.load_splat<f32>(xi);
        a = f32x4.add(a, f32x4.mul(s, four(wi + LOWER, bits, fa)));
        b = f32x4.add(b, f32x4.mul(s, four(wi, bits, fb)));
        c = f32x4.add(c, f32x4.mul(s, four(wi + second + LOWER, bits, fc)));
        d = f32x4.add(d, f32x4.mul(s, four(wi + second, bits, fd)));
      }
    }
    v128.store(y, f32x4.pmax(a, bound));
    if (left > V) v128.store(y, f32x4.pmax(b, bound), 16);
    if (left > 2 * V) v128.store(y, f32x4.pmax(c, bound), 32);
    if (left > 3 * V) v128.store(y, f32x4.pmax(d, bound), 48);
    y += step, start += step, factors += step, w += step / (2 * V) * block, left -= min(left, step);
  }
}

/** Whether the factors of 32 outputs are FACTOR of packed.ts. */
@inline
function areOfHalves(at: usize): bool {
  const f = i32x4.splat(102 + 127 << 23);
  let others = i32x4.splat(0);
  for (const end = at + 8 * V; at < end; at += V) others = v128.or(others, v128.xor(f, v128.load(at)));
  return !v128.any_true(others);
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
