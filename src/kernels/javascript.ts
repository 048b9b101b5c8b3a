import { exp } from './exp';
import { sigmoid, tanh, tanhTimesSigmoid } from './functions';
import { INSTRUCTION_WORDS, Op } from './instruction';
import type { SamplingKernels } from './sampling-kernels';

const { fround } = Math;

/** As f32x4.pmax has it: NaN stays in x. */
// biome-ignore lint/complexity/useMathMinMax: Math.max would lose the sign of -0
const pmax = (x: number, y: number): number => (x < y ? y : x);

/** The kernels in plain JavaScript, for where WebAssembly SIMD is missing or a page's policy forbids it. */
export function javascriptKernels(floats: number): SamplingKernels {
  const heap = new Float32Array(2 * Math.ceil(floats / 2));
  const words = new Int32Array(heap.buffer);
  const doubles = new Float64Array(heap.buffer);

  function product(at: number, y: number, a: number, b: number): void {
    const length = words[at + 10] as number;
    const weights = words[at + 11] as number;
    const weightStride = words[at + 12] as number;
    const inputs = words[at + 13] as number;
    const least = heap[at + 14] as number;
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

  /** An operation on each value by itself. */
  function pointwise(op: number, length: number, y: number, a: number, b: number): void {
    for (let i = 0; i < length; i++) {
      const x = heap[a + i] as number;
      if (op === Op.add) heap[y + i] = x + (heap[b + i] as number);
      else if (op === Op.multiply) heap[y + i] = x * (heap[b + i] as number);
      else if (op === Op.copy) heap[y + i] = x;
      else if (op === Op.relu) heap[y + i] = pmax(x, 0);
      else if (op === Op.gate) heap[y + i] = tanhTimesSigmoid(x, heap[b + i] as number);
      else heap[y + i] = op === Op.sigmoid ? sigmoid(x) : tanh(x);
    }
  }

  return {
    heap,
    words,
    run(start, end, places, images) {
      const operand = (at: number) =>
        (words[places + (words[at] as number)] as number) + (words[at + 1] as number);
      for (let at = start; at < end; at += INSTRUCTION_WORDS) {
        const op = words[at] as number;
        const [y, a, b] = [operand(at + 1), operand(at + 4), operand(at + 7)];
        const length = words[at + 10] as number;
        const columns = words[at + 15] as number;
        for (let n = 0; n < images; n++) {
          for (let column = 0; column < Math.max(1, columns); column++) {
            const of = (start: number, operand: number, columnStride: number) =>
              start + n * (words[at + operand + 2] as number) + column * (words[at + columnStride] as number);
            const [yn, an, bn] = [of(y, 1, 16), of(a, 4, 17), of(b, 7, 18)];
            if (op === Op.product) product(at, yn, an, bn);
            else pointwise(op, length, yn, an, bn);
          }
        }
      }
    },
    softmax(y, sums, x, images, levels, scale) {
      for (let n = 0; n < images; n++) {
        const [from, to] = [x + n * levels, y + n * levels];
        let max = heap[from] as number;
        for (let i = 1; i < levels; i++) max = pmax(max, heap[from + i] as number);
        const partial = [0, 0, 0, 0] as [number, number, number, number];
        for (let i = 0; i < levels; i += 4) {
          for (let lane = 0; lane < 4; lane++) {
            const e = exp(((heap[from + i + lane] as number) - max) * scale);
            doubles[to + i + lane] = e;
            partial[lane as 0] += e;
          }
        }
        // in the order of the vectors of WebAssembly
        doubles[sums + n] = partial[0] + partial[2] + (partial[1] + partial[3]);
      }
    },
  };
}
