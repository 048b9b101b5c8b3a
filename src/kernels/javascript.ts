import type { Kernels } from './types';

const { fround } = Math;

/** The kernels in plain JavaScript, for where WebAssembly SIMD is missing or a page's policy forbids it. */
export function javascriptKernels(floats: number): Kernels {
  const heap = new Float32Array(floats);
  return {
    heap,
    product(y, yStride, start, startStride, x, xStride, w, wStride, images, inputs, outputs, least) {
      for (let n = 0; n < images; n++) {
        const xn = x + n * xStride;
        for (let o = 0; o < outputs; o += 4) {
          const s = start + n * startStride + o;
          let a = heap[s] as number;
          let b = heap[s + 1] as number;
          let c = heap[s + 2] as number;
          let d = heap[s + 3] as number;
          for (let i = 0, wi = w + o; i < inputs; i++, wi += wStride) {
            const xi = heap[xn + i] as number;
            a = fround(a + fround(xi * (heap[wi] as number)));
            b = fround(b + fround(xi * (heap[wi + 1] as number)));
            c = fround(c + fround(xi * (heap[wi + 2] as number)));
            d = fround(d + fround(xi * (heap[wi + 3] as number)));
          }
          const yn = y + n * yStride + o;
          heap[yn] = Math.max(a, least);
          heap[yn + 1] = Math.max(b, least);
          heap[yn + 2] = Math.max(c, least);
          heap[yn + 3] = Math.max(d, least);
        }
      }
    },
    relu(y, yStride, x, xStride, images, length) {
      for (let n = 0; n < images; n++) {
        for (let i = 0; i < length; i++) {
          heap[y + n * yStride + i] = Math.max(heap[x + n * xStride + i] as number, 0);
        }
      }
    },
    add(y, yStride, a, aStride, b, bStride, images, length) {
      for (let n = 0; n < images; n++) {
        for (let i = 0; i < length; i++) {
          heap[y + n * yStride + i] =
            (heap[a + n * aStride + i] as number) + (heap[b + n * bStride + i] as number);
        }
      }
    },
  };
}
