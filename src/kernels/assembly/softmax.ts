import { exp } from './exp';
import { V } from './vector';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD. Addresses and
// strides count bytes here.

/**
 * y[n][l] = e^((x[n][l] - max x[n]) scale), float64, and the sums [images] of it. `levels` is a multiple of
 * 4; x has -Infinity where there is no level.
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
      const upper = v128.shuffle<f32>(l, l, 2, 3, 2, 3);
      const low = exp(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(l), max), s));
      const high = exp(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(upper), max), s));
      v128.store(y + i * 8, low);
      v128.store(y + i * 8 + V, high);
      sumLow = f64x2.add(sumLow, low);
      sumHigh = f64x2.add(sumHigh, high);
    }
    const sum = f64x2.add(sumLow, sumHigh);
    store<f64>(sums, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}
