import { pmax, sigmoid, tanh, tanhTimesSigmoid } from './functions';
import { INSTRUCTION_WORDS, Op } from './instruction';
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
  const operand = (first: number) => (words[bases + word(first)] as number) + word(first + 1);
  const [op, length, columns] = [word(0), word(10), word(15)];
  const [y, a, b] = [operand(1), operand(4), operand(7)];
  for (let n = 0; n < images; n++) {
    for (let column = 0; column < Math.max(1, columns); column++) {
      const yn = y + n * word(3) + column * word(16);
      const an = a + n * word(6) + column * word(17);
      const bn = b + n * word(9) + column * word(18);
      if (op !== Op.product) pointwise(heap, op, length, yn, an, bn);
      else product(heap, yn, an, bn, length, word(11), word(12), word(13), heap[at + 14] as number);
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
