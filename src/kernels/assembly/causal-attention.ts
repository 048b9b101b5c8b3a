import { addProducts, dots, fromLanes, headBytes, laterThan, pack, rowBytes, toLanes, unpack } from './attention-tiles';
import { exp } from './exp-f32';
import { log } from './log-f32';
import { copy, V } from './vector';
import { BLOCK, LANES, PIXELS } from './window';

// Attention of each head over earlier places, and the place itself if `own` is 1, not 0. Queries and keys are
// [images,places,heads,size], values [images,places,heads,valueSize].

/** Bytes of scratch memory that {@link attention} needs. */
export function attentionScratch(_images: usize, places: usize, _heads: usize, size: usize, valueSize: usize): usize {
  const widest = rowBytes(max(size, valueSize));
  return headBytes(places, size) + headBytes(places, valueSize) + 3 * LANES * widest + (places + PIXELS) * BLOCK;
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
  const weights = sums + room; // [places][8]
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
        for (let i = first; i < seen; i++) {
          const at = weights + i * BLOCK, hidden = f32x4.splat(-Infinity);
          v128.store(at, v128.bitselect(v128.load(at), hidden, laterThan(i - first - own, 0)));
          v128.store(at + V, v128.bitselect(v128.load(at + V), hidden, laterThan(i - first - own, 4)));
        }
        // Where nothing is seen, all powers are 0.
        const end = weights + seen * BLOCK;
        let maxA = f32x4.splat(-f32.MAX_VALUE), maxB = maxA;
        for (let w = weights; w < end; w += BLOCK) {
          maxA = f32x4.pmax(maxA, v128.load(w));
          maxB = f32x4.pmax(maxB, v128.load(w + V));
        }
        let sumA = f32x4.splat(0), sumB = sumA;
        for (let w = weights; w < end; w += BLOCK) {
          const a = exp(f32x4.mul(f32x4.sub(v128.load(w), maxA), factor));
          const b = exp(f32x4.mul(f32x4.sub(v128.load(w + V), maxB), factor));
          v128.store(w, a);
          v128.store(w + V, b);
          sumA = f32x4.add(sumA, a);
          sumB = f32x4.add(sumB, b);
        }
        memory.fill(sums, 0, LANES * valueRow);
        addProducts(sums, values, seen, valueRow, weights);
        sumA = f32x4.pmax(sumA, f32x4.splat(1)); // at least 1, except where nothing is seen
        sumB = f32x4.pmax(sumB, f32x4.splat(1));
        const a = f32x4.div(f32x4.splat(1), sumA), b = f32x4.div(f32x4.splat(1), sumB);
        for (let i: usize = 0; i < LANES * valueRow; i += BLOCK) {
          v128.store(sums + i, f32x4.mul(v128.load(sums + i), a));
          v128.store(sums + i + V, f32x4.mul(v128.load(sums + i + V), b));
        }
        fromLanes(block, sums, valueRow);
        unpack(y + ofValues + first * valueStride, block, lanes, valueStride, valueBytes, valueRow);
        v128.store(sums, f32x4.add(f32x4.mul(maxA, factor), log(sumA)));
        v128.store(sums + V, f32x4.add(f32x4.mul(maxB, factor), log(sumB)));
        copy(logSums + first * 4, sums, lanes * 4);
      }
    }
  }
}
