import {
  addProducts, addWeighted, dot, dots, fromLanes, headBytes, notBefore, pack, rowBytes, toLanes,
  unpack,
} from './attention-tiles';
import { exp } from './exp-f32';
import { V } from './vector';
import { BLOCK, LANES } from './window';

// The gradients of causal-attention.ts; see the notes there.

/** How many queries' weights, for eight keys, are held at a time. */
const CHUNK: usize = 64;

export function attentionBackScratch(
  _images: usize, places: usize, _heads: usize, size: usize, valueSize: usize,
): usize {
  const widest = max(size, valueSize);
  return 5 * headBytes(places, widest) + 5 * LANES * rowBytes(widest) + 2 * CHUNK * BLOCK + places * 4;
}

/**
 * The gradients of {@link attention}. The weights of eight keys are recomputed, for a chunk of queries at a time. The
 * gradient of a weight is dy v, and the mean of these over a query's weights is dy y.
 */
export function attentionBack(
  dq: usize, dk: usize, dv: usize, dy: usize, q: usize, k: usize, v: usize, y: usize, logSums: usize,
  images: usize, places: usize, heads: usize, size: usize, valueSize: usize, own: usize, scale: f32, scratch: usize,
): void {
  const bytes = size * 4, stride = heads * bytes, row = rowBytes(size);
  const valueBytes = valueSize * 4, valueStride = heads * valueBytes, valueRow = rowBytes(valueSize);
  const head = headBytes(places, max(size, valueSize)), room = LANES * max(row, valueRow);
  const queries = scratch, keys = queries + head, values = keys + head, slopes = values + head;
  const dqueries = slopes + head;
  const block = dqueries + head; // [8][size or valueSize]
  const keyLanes = block + room, valueLanes = keyLanes + room; // [size][8], [valueSize][8]
  const dkeyLanes = valueLanes + room, dvalueLanes = dkeyLanes + room;
  const weights = dvalueLanes + room, scores = weights + CHUNK * BLOCK; // [queries][8]
  const means = scores + CHUNK * BLOCK; // [places]
  const factor = f32x4.splat(scale);
  for (let n: usize = 0; n < images; n++) {
    for (let h: usize = 0; h < heads; h++, logSums += places * 4) {
      const at = n * places * stride + h * bytes, ofValues = n * places * valueStride + h * valueBytes;
      pack(queries, q + at, places, stride, bytes, row);
      pack(keys, k + at, places, stride, bytes, row);
      pack(values, v + ofValues, places, valueStride, valueBytes, valueRow);
      pack(slopes, dy + ofValues, places, valueStride, valueBytes, valueRow);
      pack(dqueries, y + ofValues, places, valueStride, valueBytes, valueRow); // y in place of dqueries, only to compute the means
      for (let i: usize = 0; i < places; i++) {
        store<f32>(means + i * 4, dot(slopes + i * valueRow, dqueries + i * valueRow, valueRow));
      }
      memory.fill(dqueries, 0, head);
      for (let first: usize = 0; first < places; first += LANES) {
        const lanes = min(LANES, places - first);
        toLanes(keyLanes, keys + first * row, row);
        toLanes(valueLanes, values + first * valueRow, valueRow);
        memory.fill(dkeyLanes, 0, 2 * room);
        for (let i = first; i < places; i += CHUNK) {
          const rows = min(CHUNK, places - i), from = i * row, sloped = slopes + i * valueRow;
          dots(weights, queries + from, rows, row, keyLanes);
          dots(scores, sloped, rows, valueRow, valueLanes);
          for (let r: usize = 0; r < rows; r++) {
            const logSum = v128.load32_splat(logSums + (i + r) * 4), mean = v128.load32_splat(means + (i + r) * 4);
            for (let four: usize = 0; four < BLOCK; four += V) {
              const w = weights + r * BLOCK + four, s = scores + r * BLOCK + four;
              let weight = exp(f32x4.sub(f32x4.mul(v128.load(w), factor), logSum));
              if (i + r < first + LANES) weight = v128.andnot(weight, notBefore(i + r - first + own, <i32>(four >> 2)));
              v128.store(w, weight);
              v128.store(s, f32x4.mul(weight, f32x4.mul(f32x4.sub(v128.load(s), mean), factor)));
            }
          }
          addProducts(dvalueLanes, sloped, rows, valueRow, weights);
          addProducts(dkeyLanes, queries + from, rows, row, scores);
          addWeighted(dqueries + from, scores, rows, row, keys + first * row);
        }
        fromLanes(block, dkeyLanes, row);
        unpack(dk + at + first * stride, block, lanes, stride, bytes, row);
        fromLanes(block, dvalueLanes, valueRow);
        unpack(dv + ofValues + first * valueStride, block, lanes, valueStride, valueBytes, valueRow);
      }
      unpack(dq + at, dqueries, places, stride, bytes, row);
    }
  }
}
