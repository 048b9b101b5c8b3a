import { exp } from './exp';
import { V } from './vector';

// ../mixture-levels.ts is the JavaScript equivalent, and documents the table. `row` is the bytes of
// a row of the table. A vector holds two components.

/** The first level whose cumulative weight exceeds a threshold. */
export function levelAt(table: usize, row: usize, levels: i32, threshold: f64): i32 {
  const one = f64x2.splat(1);
  let low = 0, high = levels - 1;
  while (low < high) {
    const level = (low + high) >> 1, edge = upperEdge(level, levels);
    let sums = f64x2.splat(0);
    for (let k: usize = 0; k < row; k += V) {
      const power = exp(exponent(edge, v128.load(table + k), v128.load(table + row + k)));
      sums = f64x2.add(sums, f64x2.div(v128.load(table + 2 * row + k), f64x2.add(one, power)));
    }
    if (f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1) > threshold) high = level;
    else low = level + 1;
  }
  return low;
}

/** The masses of all levels [levels, 2], for components of even and odd index. */
export function weigh(masses: usize, table: usize, row: usize, levels: i32): void {
  const one = f64x2.splat(1), end = masses + (<usize>levels - 1) * V;
  for (let at = masses; at <= end; at += V) v128.store(at, f64x2.splat(0));
  for (let k: usize = 0; k < row; k += V) {
    const mean = v128.load(table + k), scale = v128.load(table + row + k);
    const weight = v128.load(table + 2 * row + k), slope = v128.load(table + 3 * row + k);
    const ratio = v128.load(table + 4 * row + k), run = <i32>load<f64>(table + 5 * row + k);
    let power = one, below = one, share = weight;
    let at = masses;
    for (let level = 0, next = 0; at < end; level++, at += V) {
      if (level == next) {
        power = exp(exponent(upperEdge(level, levels), mean, scale));
        next += run;
      } else {
        power = f64x2.mul(power, ratio);
      }
      const above = f64x2.div(one, f64x2.add(one, power));
      v128.store(at, f64x2.add(v128.load(at), f64x2.mul(f64x2.mul(share, below), above)));
      share = slope;
      below = f64x2.mul(power, above);
    }
    v128.store(at, f64x2.add(v128.load(at), f64x2.mul(weight, below)));
  }
}

@inline
function upperEdge(level: i32, levels: i32): v128 {
  const last = <f64>(levels - 1);
  return f64x2.splat(<f64>(2 * level) / last - 1 + 1 / last);
}

/** -z, limited so that e^-z cannot overflow within a run. */
@inline
function exponent(edge: v128, mean: v128, scale: v128): v128 {
  const z = f64x2.mul(f64x2.sub(edge, mean), scale);
  return f64x2.min(f64x2.splat(350), f64x2.max(f64x2.splat(-350), f64x2.neg(z)));
}
