import { INSTRUCTION_WORDS, OPS, Word } from './encoding';

export { INSTRUCTION_WORDS, OPS, Word };

export type OpName = (typeof OPS)[number];

/** Numbers for each image: `offset` floats after a base, `stride` floats apart, or shared if that is 0. */
export interface Operand {
  /** An index into the table of bases that the instruction runs with. */
  readonly base: number;
  readonly offset: number;
  readonly stride: number;
  /** Floats from column to column (0 if all columns share them), for instructions on whole rows. @default 0 */
  readonly columnStride?: number;
}

/**
 * One operation on `length` values of each image, or of each of `columns` columns of each image. Most compute y[i] from
 * a[i], or from a[i] and b[i]:
 *
 * - `gate` is tanh(a) sigmoid(b), and `glu` a sigmoid(b);
 * - activations follow tfjs-layers. The parameter is alpha for `elu` and `leakyRelu`, theta for
 *   `thresholdedRelu`, and the maximum for `clippedRelu`;
 * - `levelNumber` is 1 + the level round(a parameter), where the parameter is the last level; 0 if that is not a level.
 *
 * The other operations:
 *
 * - `product`, `length` a multiple of 4, is y = max(b + a w, parameter): y[o] = b[o] + a[0] w[0][o]
 *   + a[1] w[1][o] + ..., a sum over `inputs` terms. The parameter, its lower bound, is 0 for a
 *   ReLU, else -Infinity. Weights lie in blocks of four outputs: [length/4][inputs][4].
 * - `productPacked` is the same of packed weights, in blocks of eight outputs, with their factors at c. `unpack` writes these to y as
 *   those of `product`, once for all images.
 * - `depthwise` is y[o] = max(b[o] + a[0][o] w[0][o] + a[1][o] w[1][o] + ..., parameter): each of `inputs` rows of a
 *   begins `gap` floats after the one before, and each of w `weightStride`.
 * - `lookup` is y = max(b + rows, parameter): each input has `rows` consecutive rows of w, and adds the row number
 *   a[i], counted from 1; 0 adds none. This equals the product of one-hot vectors and w.
 * - `concatElu` is y[i] = elu(a[i]), and writes elu(-a[i]) to b[i].
 * - `oneHot` is 1 at i = a[0] - parameter, and 0 elsewhere.
 * - `normalize` is layer normalization: y[i] = (a[i] - mean) / sqrt(variance + parameter) b[i] + shift[i],
 *   with mean and variance over all of a, and shifts at `weights`. `rms` is the same with a mean of 0.
 * - `attend` is y = sum of softmax(a k parameter) v over places. Each place has `weightStride` keys k; the `length`
 *   values v of each lie after all keys, `inputs` floats after the first. b are the keys of the first place and
 *   c those of the one after the last; if they are equal, y is 0. `weights` is the position of scratch memory for
 *   one number per place, in whole vectors.
 * - `softmax` is y[i] = e^a[i] / sum e^a over all of a, and `logSoftmax` its logarithm.
 */
export interface Instruction {
  readonly op: OpName;
  readonly y: Operand;
  readonly a: Operand;
  /** Unused by functions of one number. `concatElu` writes to it. */
  readonly b?: Operand;
  /** For `attend`, and the factors of packed weights. */
  readonly c?: Operand;
  readonly length: number;
  /** 0 for one pixel. @default 0 */
  readonly columns?: number;
  /**
   * The position in the heap of w, of shifts, or of scratch memory. The stride is from row to row of w for
   * `lookup`, from block to block of w for `product`, and from key to key for `attend`.
   */
  readonly weights?: number;
  readonly weightStride?: number;
  readonly inputs?: number;
  /** Rows of w for each input of `lookup`. */
  readonly rows?: number;
  /** How many inputs of `product` or `lookup` are adjacent, before so many floats that are none. @default all of them */
  readonly span?: number;
  readonly gap?: number;
  /** @default 0 */
  readonly parameter?: number;
}

export function encode(heap: Float32Array, at: number, instruction: Instruction): void {
  const { op, y, a, b = a, c = a, length, columns = 0 } = instruction;
  const {
    weights = 0,
    weightStride = 0,
    inputs = 0,
    rows = 0,
    span = inputs,
    gap = 0,
    parameter = 0,
  } = instruction;
  const view = new DataView(heap.buffer, heap.byteOffset + 4 * at, 4 * INSTRUCTION_WORDS);
  const words = { op: OPS.indexOf(op), length, columns, weights, weightStride, inputs, rows, span, gap };
  for (const [name, word] of Object.entries(words)) view.setInt32(4 * Word[name as 'op'], word, true);
  for (const [name, operand] of Object.entries({ y, a, b, c })) {
    const { base, offset, stride, columnStride = 0 } = operand;
    for (const [i, word] of [base, offset, stride, columnStride].entries())
      view.setInt32(4 * (Word[name as 'y'] + i), word, true);
  }
  view.setFloat64(4 * Word.parameter, parameter, true);
}

/** An operand from a later position on. */
export const later = (operand: Operand, floats: number): Operand => ({
  ...operand,
  offset: operand.offset + floats,
});

/** Rounds a number of floats up to whole vectors of four. */
export const wholeVectors = (floats: number): number => 4 * Math.ceil(floats / 4);

/** The inner loops of sampling, over one heap. All implementations round each step, in the same order. */
export interface SamplingKernels {
  /** The memory of all numbers, initially zero. */
  readonly heap: Float32Array;
  /** The same memory as integers: bases and instructions. */
  readonly words: Int32Array;
  /** Runs the encoded instructions in [start, end) on some images, with the table of bases from word `bases` on. */
  run(start: number, end: number, bases: number, images: number): void;
  /**
   * Computes y = e^((x - max x) scale) and its sums for each image: x float32 [images, levels] from
   * position `x` of the heap on; y [images, levels] and sums [images] float64, at positions that
   * count float64 numbers. `levels` is a multiple of 4.
   */
  softmax(y: number, sums: number, x: number, images: number, levels: number, scale: number): void;
  /**
   * Draws a level for each image, int32 [images] from position `drawn` on: the first whose cumulative
   * probability exceeds the image's uniform, or -1 in the rare case that float32 cannot decide. x, levels and
   * scale are as in `softmax`; uniforms are float64 [images], at a position that counts float64 numbers;
   * `row` is scratch memory [levels]. Absent if it would not be faster than `softmax`.
   */
  drawCertain?(
    drawn: number,
    uniforms: number,
    row: number,
    x: number,
    images: number,
    levels: number,
    scale: number,
  ): void;
}
