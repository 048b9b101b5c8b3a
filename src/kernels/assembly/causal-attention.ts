import { addProducts, dots, fromLanes, headBytes, laterThan, pack, rowBytes, toLanes, unpack } from './attention-tiles';
import { exp } from './exp-f32';
import { log } from './log-f32';
import { copy, V } from './vector';
import { BLOCK, LANES, PIXELS } from './window';

// Attention of each head over strictly earlier places. Queries, keys and values are [images,places,heads,size].

/** Bytes of scratch memory that {@link attention} needs. */
export function attentionScratch(_images: usize, places: usize, _heads: usize, size: usize): usize {
  return 2 * headBytes(places, size) + 3 * LANES * rowBytes(size) + (places + PIXELS) * BLOCK;
}

/**
 * y = softmax(q k scale) v, zeros at the first place, and for each query [images,heads,places] the logarithm of the sum
 * of e^(q k scale), from which the gradients recompute the weights. The weights of eight queries are held at a time.
 */
export function attention(
  y: usize, logSums: usize, q: usize, k: usize, v: usize,
  images: usize, places: usize, heads: usize, size: usize, scale: f32, scratch: usize,
): void {
  const bytes = size * 4, stride = heads * bytes, row = rowBytes(size);
  const keys = scratch, values = keys + headBytes(places, size);
  const block = values + headBytes(places, size); // [8][size]
  const queries = block + LANES * row, sums = queries + LANES * row; // [size][8]
  const weights = sums + LANES * row; // [places][8]
  const factor = f32x4.splat(scale);
  for (let n: usize = 0; n < images; n++) {
    for (let h: usize = 0; h < heads; h++, logSums += places * 4) {
      const head = n * places * stride + h * bytes;
      pack(keys, k + head, places, stride, bytes, row);
      pack(values, v + head, places, stride, bytes, row);
      for (let first: usize = 0; first < places; first += LANES) {
        const lanes = min(LANES, places - first), seen = first + lanes - 1; // seen by the last of them
        pack(block, q + head + first * stride, lanes, stride, bytes, row);
        toLanes(queries, block, row);
        dots(weights, keys, seen, row, queries);
        for (let i = first; i < seen; i++) {
          const at = weights + i * BLOCK, hidden = f32x4.splat(-Infinity);
          v128.store(at, v128.bitselect(v128.load(at), hidden, laterThan(i - first, 0)));
          v128.store(at + V, v128.bitselect(v128.load(at + V), hidden, laterThan(i - first, 4)));
        }
        // The first place sees nothing: all its powers are 0.
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
        memory.fill(sums, 0, LANES * row);
        addProducts(sums, values, seen, row, weights);
        sumA = f32x4.pmax(sumA, f32x4.splat(1)); // at least 1, except at the first place
        sumB = f32x4.pmax(sumB, f32x4.splat(1));
        const a = f32x4.div(f32x4.splat(1), sumA), b = f32x4.div(f32x4.splat(1), sumB);
        for (let i: usize = 0; i < LANES * row; i += BLOCK) {
          v128.store(sums + i, f32x4.mul(v128.load(sums + i), a));
          v128.store(sums + i + V, f32x4.mul(v128.load(sums + i + V), b));
        }
        fromLanes(block, sums, row);
        unpack(y + head + first * stride, block, lanes, stride, bytes, row);
        v128.store(sums, f32x4.add(f32x4.mul(maxA, factor), log(sumA)));
        v128.store(sums + V, f32x4.add(f32x4.mul(maxB, factor), log(sumB)));
        copy(logSums + first * 4, sums, lanes * 4);
      }
    }
  }
}
