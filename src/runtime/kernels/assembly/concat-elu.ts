import { exp, oneMinusExp } from './exp-f32';
import { ifPositive } from './gate-f32';
import { load4, startOf, step, write } from './tails';

/** y = elu(x), then elu(-x): [rows,2,size] from x [rows,size]. One of the two is x or -x, the other e^-|x| - 1. */
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

/** The gradient of {@link concatElu} for x: dx shaped like x, from dy shaped like y. A slope is either 1 or e^-|x|. */
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
