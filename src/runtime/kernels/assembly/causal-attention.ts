import { addProducts, dots, fromLanes, headBytes, laterThan, pack, rowBytes, toLanes, unpack } from './attention-tiles';
import { exp } from './exp-f32';
import { log } from './log-f32';
import { copy, V } from './vector';
import { BLOCK, LANES, PIXELS } from './window';

// Attention of each head over earlier places, and the place itself if `own` is 1, not 0. Queries and keys are
// [images,places,heads,size], values [images,places,heads,valueSize].

export function attentionScratch(_images: usize, places: usize, _heads: usize, size: usize, valueSize: usize): usize {
  const widest = rowBytes(max(size, valueSize));
  return headBytes(places, size) + headBytes(places, valueSize) + 3 * LANES * widest + (2 + places + PIXELS) * BLOCK;
}

/**
 * y = softmax(q k scale) v, zeros where nothing is seen, and for each query [images,heads,places] the logarithm of the sum
 * of e^(q k scale), from which the gradients recompute the weights. The weights of eight queries are held at a time.
 */
export function attention(
  y: usize, logSums: usize, q: usize, k: usize, v: usize,
  images: usize, places: usize, heads: usize, size: usize, valueSize: usize, own: usize, scale: f32, scratch: usize,
): void {
  const bytes = size * 4, stride = heads * bytes, row = rowBytes(size);
  const valueBytes = valueSize * 4, valueStride = heads * valueBytes, valueRow = rowBytes(valueSize);
  const keys = scratch, values = keys + headBytes(places, size);
  const block = values + headBytes(places, valueSize), room = LANES * max(row, valueRow); // [8][size or valueSize]
  const queries = block + room, sums = queries + room; // [size][8], [valueSize][8]
  const totals = sums + room; // [8] sums of powers, [8] their logarithms
  const weights = totals + 2 * BLOCK; // [places][8]
  const factor = f32x4.splat(scale);
  for (let n: usize = 0; n < images; n++) {
    for (let h: usize = 0; h < heads; h++, logSums += places * 4) {
      const head = n * places * stride + h * bytes, ofValues = n * places * valueStride + h * valueBytes;
      pack(keys, k + head, places, stride, bytes, row);
      pack(values, v + ofValues, places, valueStride, valueBytes, valueRow);
      for (let first: usize = 0; first < places; first += LANES) {
        const lanes = min(LANES, places - first), seen = first + lanes - 1 + own; // seen by the last of them
        pack(block, q + head + first * stride, lanes, stride, bytes, row);
        toLanes(queries, block, row);
        dots(weights, keys, seen, row, queries);
        // Four lanes at a time. Where nothing is seen, all powers are 0.
        const end = weights + seen * BLOCK;
        for (let four: usize = 0; four < BLOCK; four += V) {
          for (let i = first; i < seen; i++) {
            const at = weights + i * BLOCK + four;
            const isHidden = laterThan(i - first - own, <i32>(four >> 2));
            v128.store(at, v128.bitselect(v128.load(at), f32x4.splat(-Infinity), isHidden));
          }
          let most = f32x4.splat(-f32.MAX_VALUE), sum = f32x4.splat(0);
          for (let w = weights + four; w < end; w += BLOCK) most = f32x4.pmax(most, v128.load(w));
          for (let w = weights + four; w < end; w += BLOCK) {
            const power = exp(f32x4.mul(f32x4.sub(v128.load(w), most), factor));
            v128.store(w, power);
            sum = f32x4.add(sum, power);
          }
          sum = f32x4.pmax(sum, f32x4.splat(1)); // at least 1, except where nothing is seen
          v128.store(totals + four, sum);
          v128.store(totals + four, f32x4.add(f32x4.mul(most, factor), log(sum)), BLOCK);
        }
        memory.fill(sums, 0, LANES * valueRow);
        addProducts(sums, values, seen, valueRow, weights);
        for (let i: usize = 0; i < LANES * valueRow; i += V) {
          const at = sums + i, inverse = f32x4.div(f32x4.splat(1), v128.load(totals + (i & V)));
          v128.store(at, f32x4.mul(v128.load(at), inverse));
        }
        fromLanes(block, sums, valueRow);
        unpack(y + ofValues + first * valueStride, block, lanes, valueStride, valueBytes, valueRow);
        copy(logSums + first * 4, totals + BLOCK, lanes * 4);
      }
    }
  }
}
