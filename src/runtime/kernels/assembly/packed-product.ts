import { Op, Word } from '../encoding';
import { addressOf, floats, INSTRUCTION, parameter, placeOf, word } from './instruction';
import { V } from './vector';

// Products of packed weights, see ../packed.ts: of float16 where T is i16, of integers where it is i8.

/** Like `run` in instructions.ts. */
export function run(at: usize, end: usize, bases: usize, images: usize): usize {
  for (; at < end; at += INSTRUCTION) {
    const op: i32 = word(at, Word.op);
    if (op < Op.productFloat16) break;
    const scales = addressOf(at, Word.c, bases), columns = max(word(at, Word.columns), 1);
    if (op == Op.unpackFloat16) unpack<i16>(at, addressOf(at, Word.y, bases), scales);
    else if (op == Op.unpackInt8) unpack<i8>(at, addressOf(at, Word.y, bases), scales);
    else {
      const isHalf = op == Op.productFloat16;
      if (isHalf && !areSmall(at, bases, images, columns)) break;
      for (let n: usize = 0; n < images; n++) {
        for (let column: usize = 0; column < columns; column++) {
          const y = placeOf(at, Word.y, bases, n, column), x = placeOf(at, Word.a, bases, n, column);
          const start = placeOf(at, Word.b, bases, n, column);
          if (isHalf) product<i16>(at, y, x, start, scales);
          else product<i8>(at, y, x, start, scales);
        }
      }
    }
  }
  return at;
}

/** Whether every input times 2^102 is finite. */
function areSmall(at: usize, bases: usize, images: usize, columns: usize): bool {
  const inputBytes = floats(at, Word.inputs), span = floats(at, Word.span), gap = floats(at, Word.gap);
  for (let n: usize = 0; n < images; n++) {
    for (let column: usize = 0; column < columns; column++) {
      let x = placeOf(at, Word.a, bases, n, column);
      for (let left = inputBytes; left > 0; x += gap) {
        const end = x + min(span, left);
        left -= end - x;
        for (; x < end; x += 4) if (!(abs(load<f32>(x)) < 67108864)) return false;
      }
    }
  }
  return true;
}

// A float16 becomes float32 times 2^-102, by its place alone, and the input is multiplied by 2^102 instead: the product is
// the same, to the bit. V8 would make constants anew in each round. What is loaded, here a zero, is none.

@inline
function zero(at: usize): i32 {
  return <i32>word(at, Word.op) >> 31;
}

@inline
function bitsOfHalf(at: usize): v128 {
  return i32x4.splat(0x8fffe000 | zero(at));
}

@inline
function largeFactor(at: usize): v128 {
  return i32x4.splat(0x72800000 | zero(at)); // 2^102
}

/** Number k in each lane of a vector. */
@inline
function half(vector: v128, k: i32, bits: v128): v128 {
  return v128.and(i32x4.shr_s(k == 0 ? i32x4.shl(vector, 16) : vector, 3), bits);
}

/** Number k in each lane of a vector, times the scales. */
@inline
function integer(vector: v128, k: i32, scales: v128): v128 {
  const integers = i32x4.shr_s(k < 3 ? i32x4.shl(vector, 24 - 8 * k) : vector, 24);
  return f32x4.mul(f32x4.convert_i32x4_s(integers), scales);
}

/** As `one` in product.ts, 32 outputs at once: enough streams of weights to hide how long each waits for memory. */
function product<T>(at: usize, y: usize, x: usize, start: usize, scales: usize): void {
  const bound = f32x4.splat(<f32>parameter(at)), bits = bitsOfHalf(at), factor = largeFactor(at);
  const block = floats(at, Word.weightStride);
  const inputBytes = word(at, Word.inputs) * V, span = word(at, Word.span) * V, gap = floats(at, Word.gap);
  let w = floats(at, Word.weights);
  for (let left = floats(at, Word.length); left > 0; left -= min(left, 8 * V)) {
    let a = v128.load(start), b = v128.load(start, 16), c = v128.load(start, 32), d = v128.load(start, 48);
    let e = v128.load(start, 64), f = v128.load(start, 80), g = v128.load(start, 96), h = v128.load(start, 112);
    let xi = x;
    for (const end = w + inputBytes; w < end; xi += gap) {
      for (const next = min(w + span, end); w < next; xi += 4, w += V) {
        let s = v128.load_splat<f32>(xi);
        if (sizeof<T>() == 2) {
          s = f32x4.mul(s, factor);
          let p = v128.load(w);
          a = f32x4.add(a, f32x4.mul(s, half(p, 0, bits)));
          b = f32x4.add(b, f32x4.mul(s, half(p, 1, bits)));
          p = v128.load(w + block);
          c = f32x4.add(c, f32x4.mul(s, half(p, 0, bits)));
          d = f32x4.add(d, f32x4.mul(s, half(p, 1, bits)));
          p = v128.load(w + 2 * block);
          e = f32x4.add(e, f32x4.mul(s, half(p, 0, bits)));
          f = f32x4.add(f, f32x4.mul(s, half(p, 1, bits)));
          p = v128.load(w + 3 * block);
          g = f32x4.add(g, f32x4.mul(s, half(p, 0, bits)));
          h = f32x4.add(h, f32x4.mul(s, half(p, 1, bits)));
        } else {
          let p = v128.load(w);
          a = f32x4.add(a, f32x4.mul(s, integer(p, 0, v128.load(scales))));
          b = f32x4.add(b, f32x4.mul(s, integer(p, 1, v128.load(scales, 16))));
          c = f32x4.add(c, f32x4.mul(s, integer(p, 2, v128.load(scales, 32))));
          d = f32x4.add(d, f32x4.mul(s, integer(p, 3, v128.load(scales, 48))));
          p = v128.load(w + block);
          e = f32x4.add(e, f32x4.mul(s, integer(p, 0, v128.load(scales, 64))));
          f = f32x4.add(f, f32x4.mul(s, integer(p, 1, v128.load(scales, 80))));
          g = f32x4.add(g, f32x4.mul(s, integer(p, 2, v128.load(scales, 96))));
          h = f32x4.add(h, f32x4.mul(s, integer(p, 3, v128.load(scales, 112))));
        }
      }
    }
    v128.store(y, f32x4.pmax(a, bound));
    if (left > V) v128.store(y, f32x4.pmax(b, bound), 16);
    if (left > 2 * V) v128.store(y, f32x4.pmax(c, bound), 32);
    if (left > 3 * V) v128.store(y, f32x4.pmax(d, bound), 48);
    if (left > 4 * V) v128.store(y, f32x4.pmax(e, bound), 64);
    if (left > 5 * V) v128.store(y, f32x4.pmax(f, bound), 80);
    if (left > 6 * V) v128.store(y, f32x4.pmax(g, bound), 96);
    if (left > 7 * V) v128.store(y, f32x4.pmax(h, bound), 112);
    y += 8 * V, start += 8 * V, scales += 8 * V, w += 2 * sizeof<T>() * block - inputBytes;
  }
}

/** Writes the weights as float32, [outputs/4][inputs][4]. */
function unpack<T>(at: usize, y: usize, scales: usize): void {
  const bits = bitsOfHalf(at), factor = largeFactor(at);
  const block = word(at, Word.inputs) * V, end = y + (word(at, Word.length) >> 2) * block;
  let w = floats(at, Word.weights);
  const gap = floats(at, Word.weightStride) - block; // other inputs
  for (; y < end; y += (4 / sizeof<T>() - 1) * block, scales += 4 / sizeof<T>() * V, w += gap) {
    const s0 = v128.load(scales), s1 = v128.load(scales, 16), s2 = v128.load(scales, 32), s3 = v128.load(scales, 48);
    for (const next = y + block; y < next; y += V, w += V) {
      const p = v128.load(w);
      if (sizeof<T>() == 2) {
        v128.store(y, f32x4.mul(half(p, 0, bits), factor));
        v128.store(y + block, f32x4.mul(half(p, 1, bits), factor));
      } else {
        v128.store(y, integer(p, 0, s0));
        v128.store(y + block, integer(p, 1, s1));
        v128.store(y + 2 * block, integer(p, 2, s2));
        v128.store(y + 3 * block, integer(p, 3, s3));
      }
    }
  }
}
