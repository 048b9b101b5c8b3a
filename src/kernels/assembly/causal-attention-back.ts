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

/** Bytes of scratch memory that {@link attentionBack} needs. */
export function attentionBackScratch(
  _images: usize, places: usize, _heads: usize, size: usize,
): usize {
  return 5 * headBytes(places, size) + 5 * LANES * rowBytes(size) + 2 * CHUNK * BLOCK + places * 4;
}

/**
 * The gradients of {@link attention}. The weights of eight keys are recomputed, for a chunk of queries at a time. The
 * gradient of a weight is dy v, and the mean of these over a query's weights is dy y.
 */
export function attentionBack(
  dq: usize, dk: usize, dv: usize, dy: usize, q: usize, k: usize, v: usize, y: usize, logSums: usize,
  images: usize, places: usize, heads: usize, size: usize, scale: f32, scratch: usize,
): void {
  const bytes = size * 4, stride = heads * bytes, row = rowBytes(size), head = headBytes(places, size);
  const queries = scratch, keys = queries + head, values = keys + head, slopes = values + head;
  const dqueries = slopes + head;
  const block = dqueries + head; // [8][size]
  const keyLanes = block + LANES * row, valueLanes = keyLanes + LANES * row; // [size][8]
  const dkeyLanes = valueLanes + LANES * row, dvalueLanes = dkeyLanes + LANES * row;
  const weights = dvalueLanes + LANES * row, scores = weights + CHUNK * BLOCK; // [queries][8]
  const means = scores + CHUNK * BLOCK; // [places]
  const factor = f32x4.splat(scale);
  for (let n: usize = 0; n < images; n++) {
    for (let h: usize = 0; h < heads; h++, logSums += places * 4) {
      const at = n * places * stride + h * bytes;
      pack(queries, q + at, places, stride, bytes, row);
      pack(keys, k + at, places, stride, bytes, row);
      pack(values, v + at, places, stride, bytes, row);
      pack(slopes, dy + at, places, stride, bytes, row);
      pack(dqueries, y + at, places, stride, bytes, row); // y in place of dqueries, only to compute the means
      for (let i: usize = 0; i < places; i++) {
        store<f32>(means + i * 4, dot(slopes + i * row, dqueries + i * row, row));
      }
      memory.fill(dqueries, 0, head);
      for (let first: usize = 0; first < places; first += LANES) {
        const lanes = min(LANES, places - first);
        toLanes(keyLanes, keys + first * row, row);
        toLanes(valueLanes, values + first * row, row);
        memory.fill(dkeyLanes, 0, 2 * LANES * row);
        for (let i = first; i < places; i += CHUNK) {
          const rows = min(CHUNK, places - i), from = i * row;
          dots(weights, queries + from, rows, row, keyLanes);
          dots(scores, slopes + from, rows, row, valueLanes);
          for (let r: usize = 0; r < rows; r++) {
            const w = weights + r * BLOCK, s = scores + r * BLOCK;
            const logSum = v128.load32_splat(logSums + (i + r) * 4), mean = v128.load32_splat(means + (i + r) * 4);
            let a = exp(f32x4.sub(f32x4.mul(v128.load(w), factor), logSum));
            let b = exp(f32x4.sub(f32x4.mul(v128.load(w + V), factor), logSum));
            if (i + r < first + LANES) {
              a = v128.andnot(a, notBefore(i + r - first, 0));
              b = v128.andnot(b, notBefore(i + r - first, 4));
            }
            v128.store(w, a);
            v128.store(w + V, b);
            v128.store(s, f32x4.mul(a, f32x4.mul(f32x4.sub(v128.load(s), mean), factor)));
            v128.store(s + V, f32x4.mul(b, f32x4.mul(f32x4.sub(v128.load(s + V), mean), factor)));
          }
          addProducts(dvalueLanes, slopes + from, rows, row, weights);
          addProducts(dkeyLanes, queries + from, rows, row, scores);
          addWeighted(dqueries + from, scores, rows, row, keys + first * row);
        }
        fromLanes(block, dkeyLanes, row);
        unpack(dk + at + first * stride, block, lanes, stride, bytes, row);
        fromLanes(block, dvalueLanes, row);
        unpack(dv + at + first * stride, block, lanes, stride, bytes, row);
      }
      unpack(dq + at, dqueries, places, stride, bytes, row);
    }
  }
}
