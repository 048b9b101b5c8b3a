import { exp, oneMinusExp } from './exp-f32';
import { ifPositive } from './gate-f32';
import { load4, startOf, step, write } from './tails';

// AssemblyScript, compiled by scripts/build-kernels.mjs to a WebAssembly module with SIMD, for the memory of
// tfjs's wasm backend. Addresses count bytes here.

/** y = elu(x), then elu(-x): [rows,2,size] of x [rows,size]. Where one is not x or -x, it is e^-|x| - 1. */
export function concatElu(y: usize, x: usize, rows: usize, size: usize): void {
  const bytes = size * 4;
  for (; rows > 0; rows--, x += bytes, y += 2 * bytes) {
    for (let next: usize = 0; next < bytes; next += step(bytes)) {
      const i = startOf(next, bytes);
      const value = load4(x + i, bytes);
      const below = f32x4.neg(oneMinusExp(f32x4.neg(f32x4.abs(value))));
      write(y + i, ifPositive(value, value, below), bytes);
      write(y + bytes + i, ifPositive(value, below, f32x4.neg(value)), bytes);
    }
  }
}

/** The gradient for x of {@link concatElu}, dx as x, of dy as y. Where a slope is not 1, it is e^-|x|. */
export function concatEluBack(dx: usize, dy: usize, x: usize, rows: usize, size: usize): void {
  const bytes = size * 4, one = f32x4.splat(1);
  for (; rows > 0; rows--, x += bytes, dx += bytes, dy += 2 * bytes) {
    for (let next: usize = 0; next < bytes; next += step(bytes)) {
      const i = startOf(next, bytes);
      const value = load4(x + i, bytes), below = exp(f32x4.neg(f32x4.abs(value)));
      const first = f32x4.mul(load4(dy + i, bytes), ifPositive(value, one, below));
      const second = f32x4.mul(load4(dy + bytes + i, bytes), ifPositive(value, below, one));
      write(dx + i, f32x4.sub(first, second), bytes);
    }
  }
}
