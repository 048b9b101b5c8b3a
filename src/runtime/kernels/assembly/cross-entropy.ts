import { exp } from './exp-f32';
import { largestOfLanes, V } from './vector';

/** Bytes of scratch memory that {@link crossEntropy} needs: one row, in whole vectors. */
export function crossEntropyScratch(_rows: usize, levels: usize): usize {
  return (levels * 4 + V - 1) & ~(V - 1);
}

/**
 * For rows of logits x [rows,levels] and their labels, int32 [rows], computes gradients
 * [rows,levels] = softmax(x) - one-hot(label), sums [rows] of e^(x - max x), and below [rows] = max
 * x - x[label], where a label that is not a level counts as a logit of 0.
 */
export function crossEntropy(
  gradients: usize, sums: usize, below: usize, x: usize, labels: usize, rows: usize, levels: usize, row: usize,
): void {
  const bytes = levels * 4, padded = crossEntropyScratch(rows, levels);
  for (let i = bytes; i < padded; i += 4) store<f32>(row + i, -Infinity);
  for (let r: usize = 0; r < rows; r++, x += bytes, gradients += bytes) {
    let i: usize = 0;
    let m = f32x4.splat(-Infinity);
    for (; i + V <= bytes; i += V) {
      const v = v128.load(x + i);
      v128.store(row + i, v);
      m = f32x4.pmax(m, v);
    }
    for (; i < bytes; i += 4) store<f32>(row + i, load<f32>(x + i));
    if (padded != bytes) m = f32x4.pmax(m, v128.load(row + padded - V));
    m = largestOfLanes(m);

    let s = f32x4.splat(0);
    for (i = 0; i < padded; i += V) {
      const e = exp(f32x4.sub(v128.load(row + i), m));
      v128.store(row + i, e);
      s = f32x4.add(s, e);
    }
    const low = f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1);
    const sum = low + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));

    const scale = f32x4.splat(1 / sum);
    for (i = 0; i + V <= bytes; i += V) v128.store(gradients + i, f32x4.mul(v128.load(row + i), scale));
    for (; i < bytes; i += 4) store<f32>(gradients + i, load<f32>(row + i) / sum);
    for (i = bytes; i < padded; i += 4) store<f32>(row + i, -Infinity);

    const label: usize = load<u32>(labels + r * 4);
    let target: f32 = 0;
    if (label < levels) {
      target = load<f32>(x + label * 4);
      store<f32>(gradients + label * 4, load<f32>(gradients + label * 4) - 1);
    }
    store<f32>(sums + r * 4, sum);
    store<f32>(below + r * 4, f32x4.extract_lane(m, 0) - target);
  }
}
