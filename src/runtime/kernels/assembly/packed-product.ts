import { Word } from '../encoding';
import { floats, parameter, word } from './instruction';
import { V } from './vector';

// Products of packed weights, see ../packed.ts.

/** The bits of a half in float32. V8 would make the constant anew in each round; what is loaded, here a zero, is none. */
@inline
function bitsOfHalf(at: usize): v128 {
  return i32x4.splat(0x8fffe000 | <i32>word(at, Word.op) >> 31);
}

/** Four weights: the bits of halves, times their factors. */
@inline
function four(w: usize, bits: v128, factors: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(v128.load_ext<i16>(w), 13), bits), factors);
}

/** As `one` in product.ts, 16 outputs at once. */
export function productPacked(at: usize, y: usize, x: usize, start: usize, factors: usize): void {
  const bound = f32x4.splat(<f32>parameter(at)), bits = bitsOfHalf(at);
  const block = floats(at, Word.weightStride);
  const inputBytes = word(at, Word.inputs) * V, span = word(at, Word.span) * V, gap = floats(at, Word.gap);
  let w = floats(at, Word.weights);
  for (let left = floats(at, Word.length); left > 0; left -= min(left, 4 * V)) {
    let a = v128.load(start), b = v128.load(start, 16), c = v128.load(start, 32), d = v128.load(start, 48);
    let xi = x;
    for (const end = w + inputBytes; w < end; xi += gap) {
      for (const next = min(w + span, end); w < next; xi += 4, w += V) {
        const s = v128.load_splat<f32>(xi);
        a = f32x4.add(a, f32x4.mul(s, four(w, bits, v128.load(factors))));
        b = f32x4.add(b, f32x4.mul(s, four(w + 8, bits, v128.load(factors, 16))));
        c = f32x4.add(c, f32x4.mul(s, four(w + block, bits, v128.load(factors, 32))));
        d = f32x4.add(d, f32x4.mul(s, four(w + block + 8, bits, v128.load(factors, 48))));
      }
    }
    v128.store(y, f32x4.pmax(a, bound));
    if (left > V) v128.store(y, f32x4.pmax(b, bound), 16);
    if (left > 2 * V) v128.store(y, f32x4.pmax(c, bound), 32);
    if (left > 3 * V) v128.store(y, f32x4.pmax(d, bound), 48);
    y += 4 * V, start += 4 * V, factors += 4 * V, w += 2 * block - inputBytes;
  }
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
      v128.store(y, four(w, bits, f0));
      v128.store(y + block, four(w + 8, bits, f1));
    }
  }
}
