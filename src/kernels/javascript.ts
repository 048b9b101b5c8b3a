import { pmax, sigmoid, tanh, tanhTimesSigmoid } from './functions';
import { INSTRUCTION_WORDS, Op, Word } from './instruction';
import { product } from './product';
import type { SamplingKernels } from './sampling-kernels';
import { softmax } from './softmax';

/** The kernels in plain JavaScript, for where WebAssembly SIMD is missing or a page's policy forbids it. */
export function javascriptKernels(floats: number): SamplingKernels {
  const heap = new Float32Array(2 * Math.ceil(floats / 2));
  const words = new Int32Array(heap.buffer);
  const doubles = new Float64Array(heap.buffer);
  return {
    heap,
    words,
    run(start, end, bases, images) {
      for (let at = start; at < end; at += INSTRUCTION_WORDS) run(heap, words, at, bases, images);
    },
    softmax(...args) {
      softmax(heap, doubles, ...args);
    },
  };
}

/** One instruction, on so many images. */
function run(heap: Float32Array, words: Int32Array, at: number, bases: number, images: number): void {
  const word = (index: number) => words[at + index] as number;
  const operand = (first: number) => {
    const start = (words[bases + word(first)] as number) + word(first + 1);
    const [stride, columnStride] = [word(first + 2), word(first + 3)];
    return (n: number, column: number) => start + n * stride + column * columnStride;
  };
  const [y, a, b] = [operand(Word.y), operand(Word.a), operand(Word.b)];
  const [op, length] = [word(Word.op), word(Word.length)];
  const [weights, weightStride, inputs] = [word(Word.weights), word(Word.weightStride), word(Word.inputs)];
  const least = heap[at + Word.least] as number;
  const columns = Math.max(1, word(Word.columns));
  for (let n = 0; n < images; n++) {
    for (let column = 0; column < columns; column++) {
      const [yn, an, bn] = [y(n, column), a(n, column), b(n, column)];
      if (op !== Op.product) pointwise(heap, op, length, yn, an, bn);
      else product(heap, yn, an, bn, length, weights, weightStride, inputs, least);
    }
  }
}

/** An operation on each value by itself. */
function pointwise(heap: Float32Array, op: number, length: number, y: number, a: number, b: number): void {
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
