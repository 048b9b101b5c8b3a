import { pmax } from './functions';

const { fround } = Math;

/** What assembly/product.ts is, of one image: y = max(b + a w, least), from positions in the heap. */
export function product(
  heap: Float32Array,
  y: number,
  a: number,
  b: number,
  length: number,
  weights: number,
  weightStride: number,
  inputs: number,
  least: number,
): void {
  for (let o = 0; o < length; o += 4) {
    let y0 = heap[b + o] as number;
    let y1 = heap[b + o + 1] as number;
    let y2 = heap[b + o + 2] as number;
    let y3 = heap[b + o + 3] as number;
    for (let i = 0, w = weights + o; i < inputs; i++, w += weightStride) {
      const x = heap[a + i] as number;
      y0 = fround(y0 + fround(x * (heap[w] as number)));
      y1 = fround(y1 + fround(x * (heap[w + 1] as number)));
      y2 = fround(y2 + fround(x * (heap[w + 2] as number)));
      y3 = fround(y3 + fround(x * (heap[w + 3] as number)));
    }
    heap[y + o] = pmax(y0, least);
    heap[y + o + 1] = pmax(y1, least);
    heap[y + o + 2] = pmax(y2, least);
    heap[y + o + 3] = pmax(y3, least);
  }
}
