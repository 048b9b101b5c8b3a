// AssemblyScript, compiled by scripts/build-kernels.mjs to WebAssembly SIMD; javascript.ts is the same in JavaScript. Offsets and
// strides count bytes here. Every sum runs over inputs in order, one rounding a step, so both give the same bits.

const V: usize = 16; // bytes of a vector of four floats

// Op, in instruction.ts
const PRODUCT: u32 = 0, ADD: u32 = 1, MULTIPLY: u32 = 2, COPY: u32 = 3, RELU: u32 = 4, SIGMOID: u32 = 5; // tanh is 6

const INSTRUCTION: usize = 64; // bytes

/** The instructions in [at, end), on so many images; see `Instruction` in instruction.ts for their words. */
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

/** e^x as exp.ts has it. */
// @ts-ignore: decorator
@inline
function exp(x: v128): v128 {
  const shift = f64x2.splat(6755399441056767); // 1.5 2^52 + 1023
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), shift);
  const r = f64x2.sub(x, f64x2.mul(f64x2.sub(shifted, shift), f64x2.splat(0.6931471805599453)));
  const r2 = f64x2.mul(r, r), r4 = f64x2.mul(r2, r2);
  const p0 = f64x2.add(f64x2.splat(1), r);
  const p2 = f64x2.add(f64x2.splat(0.5), f64x2.mul(r, f64x2.splat(1.0 / 6)));
  const p4 = f64x2.add(f64x2.splat(1.0 / 24), f64x2.mul(r, f64x2.splat(1.0 / 120)));
  const p6 = f64x2.add(f64x2.splat(1.0 / 720), f64x2.mul(r, f64x2.splat(1.0 / 5040)));
  const p8 = f64x2.add(f64x2.splat(1.0 / 40320), f64x2.mul(r, f64x2.splat(1.0 / 362880)));
  const low = f64x2.add(p0, f64x2.mul(p2, r2)), high = f64x2.add(p4, f64x2.mul(p6, r2));
  const p = f64x2.add(low, f64x2.mul(f64x2.add(high, f64x2.mul(p8, r4)), r4));
  const power = i64x2.shl(shifted, 52); // 2^k, of its biased exponent in the last bits
  return v128.andnot(f64x2.mul(p, power), f64x2.lt(x, f64x2.splat(-708)));
}

/**
 * y[n][l] = e^((x[n][l] - max x[n]) scale), float64, and the sums [images] of it. `levels` is a multiple of 4; x has -Infinity where
 * there is no level.
 */
export function softmax(y: usize, sums: usize, x: usize, images: usize, levels: usize, scale: f64): void {
  const s = f64x2.splat(scale);
  for (let n: usize = 0; n < images; n++, x += levels * 4, y += levels * 8, sums += 8) {
    let m = v128.load(x);
    for (let i: usize = 4; i < levels; i += 4) m = f32x4.pmax(m, v128.load(x + i * 4));
    m = f32x4.pmax(m, v128.shuffle<f32>(m, m, 2, 3, 0, 1));
    m = f32x4.pmax(m, v128.shuffle<f32>(m, m, 1, 0, 3, 2));
    const max = f64x2.promote_low_f32x4(m);
    let sumLow = f64x2.splat(0), sumHigh = f64x2.splat(0);
    for (let i: usize = 0; i < levels; i += 4) {
      const l = v128.load(x + i * 4);
      const low = exp(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(l), max), s));
      const high = exp(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<f32>(l, l, 2, 3, 2, 3)), max), s));
      v128.store(y + i * 8, low);
      v128.store(y + i * 8 + V, high);
      sumLow = f64x2.add(sumLow, low);
      sumHigh = f64x2.add(sumHigh, high);
    }
    const sum = f64x2.add(sumLow, sumHigh);
    store<f64>(sums, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}


/**
 * y = max(start + x w, least): y[n][o] from start[n][o] + x[n][0] w[0][o] + x[n][1] w[1][o] + ..., in tiles of 4 images by 8 outputs
 * held in registers. A start stride of 0 gives every image the same start.
 */
function product(
  y: usize,
  yStride: usize,
  start: usize,
  startStride: usize,
  x: usize,
  xStride: usize,
  w: usize,
  wStride: usize,
  images: usize,
  inputs: usize,
  outputs: usize,
  least: f32,
): void {
  const l = f32x4.splat(least);
  let o: usize = 0;
  for (; o + 8 <= outputs; o += 8) {
    let n: usize = 0;
    const wo = w + o * 4;
    for (; n + 4 <= images; n += 4) {
      const y0 = y + n * yStride + o * 4,
        y1 = y0 + yStride,
        y2 = y1 + yStride,
        y3 = y2 + yStride;
      const s0 = start + n * startStride + o * 4,
        s1 = s0 + startStride,
        s2 = s1 + startStride,
        s3 = s2 + startStride;
      let a0 = v128.load(s0),
        b0 = v128.load(s0 + V),
        a1 = v128.load(s1),
        b1 = v128.load(s1 + V);
      let a2 = v128.load(s2),
        b2 = v128.load(s2 + V),
        a3 = v128.load(s3),
        b3 = v128.load(s3 + V);
      let x0 = x + n * xStride,
        x1 = x0 + xStride,
        x2 = x1 + xStride,
        x3 = x2 + xStride,
        wi = wo;
      for (let i: usize = 0; i < inputs; i++) {
        const wa = v128.load(wi),
          wb = v128.load(wi + V);
        let s = v128.load_splat<f32>(x0);
        a0 = f32x4.add(a0, f32x4.mul(s, wa));
        b0 = f32x4.add(b0, f32x4.mul(s, wb));
        s = v128.load_splat<f32>(x1);
        a1 = f32x4.add(a1, f32x4.mul(s, wa));
        b1 = f32x4.add(b1, f32x4.mul(s, wb));
        s = v128.load_splat<f32>(x2);
        a2 = f32x4.add(a2, f32x4.mul(s, wa));
        b2 = f32x4.add(b2, f32x4.mul(s, wb));
        s = v128.load_splat<f32>(x3);
        a3 = f32x4.add(a3, f32x4.mul(s, wa));
        b3 = f32x4.add(b3, f32x4.mul(s, wb));
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        wi += wStride;
      }
      v128.store(y0, f32x4.pmax(a0, l));
      v128.store(y0 + V, f32x4.pmax(b0, l));
      v128.store(y1, f32x4.pmax(a1, l));
      v128.store(y1 + V, f32x4.pmax(b1, l));
      v128.store(y2, f32x4.pmax(a2, l));
      v128.store(y2 + V, f32x4.pmax(b2, l));
      v128.store(y3, f32x4.pmax(a3, l));
      v128.store(y3 + V, f32x4.pmax(b3, l));
    }
  }
  const tiled = images & ~3;
  for (let n: usize = 0; n < images; n++) {
    const from = n < tiled ? o : 0;
    row(y + n * yStride, start + n * startStride, x + n * xStride, w, wStride, inputs, from, outputs, l);
  }
}

/** Outputs [o, outputs) of one image, 16 at a time: four sums that do not wait for each other. */
// @ts-ignore: decorator
@inline
function row(
  y: usize,
  start: usize,
  x: usize,
  w: usize,
  wStride: usize,
  inputs: usize,
  o: usize,
  outputs: usize,
  least: v128,
): void {
  for (; o + 16 <= outputs; o += 16) {
    const s = start + o * 4, t = y + o * 4;
    let a = v128.load(s), b = v128.load(s + V), c = v128.load(s + 2 * V), d = v128.load(s + 3 * V);
    let xi = x, wi = w + o * 4;
    for (let i: usize = 0; i < inputs; i++) {
      const v = v128.load_splat<f32>(xi);
      a = f32x4.add(a, f32x4.mul(v, v128.load(wi)));
      b = f32x4.add(b, f32x4.mul(v, v128.load(wi + V)));
      c = f32x4.add(c, f32x4.mul(v, v128.load(wi + 2 * V)));
      d = f32x4.add(d, f32x4.mul(v, v128.load(wi + 3 * V)));
      xi += 4;
      wi += wStride;
    }
    v128.store(t, f32x4.pmax(a, least));
    v128.store(t + V, f32x4.pmax(b, least));
    v128.store(t + 2 * V, f32x4.pmax(c, least));
    v128.store(t + 3 * V, f32x4.pmax(d, least));
  }
  for (; o < outputs; o += 4) {
    let a = v128.load(start + o * 4);
    let xi = x, wi = w + o * 4;
    for (let i: usize = 0; i < inputs; i++) {
      a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(xi), v128.load(wi)));
      xi += 4;
      wi += wStride;
    }
    v128.store(y + o * 4, f32x4.pmax(a, least));
  }
}

