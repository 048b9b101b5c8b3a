/** What an instruction does to each image: y from a and b. */
export const Op = {
  product: 0,
  add: 1,
  multiply: 2,
  copy: 3,
  relu: 4,
  sigmoid: 5,
  tanh: 6,
  gate: 7,
} as const;

/**
 * Numbers in the heap, for each image: from `offset` floats after a base on, `stride` floats from image to
 * image (0: the same for all).
 */
export interface Operand {
  /** Index into the table of bases that the instruction is run with. */
  readonly base: number;
  readonly offset: number;
  readonly stride: number;
  /** Floats from column to column (0: the same for all), for instructions on whole rows. @default 0 */
  readonly columnStride?: number;
}

/**
 * One operation on `length` values of each image, or of each of so many columns of each image. A product,
 * `length` a multiple of 4, is y = max(b + a w, least): y[o] = b[o] + a[0] w[0][o] + a[1] w[1][o] + ...,
 * `inputs` of them; `least` is 0 for a ReLU, -Infinity for none. A gate is tanh(a) sigmoid(b).
 */
export interface Instruction {
  readonly op: (typeof Op)[keyof typeof Op];
  readonly y: Operand;
  readonly a: Operand;
  /** Not for functions of one number. */
  readonly b?: Operand;
  readonly length: number;
  /** 0 for one pixel. @default 0 */
  readonly columns?: number;
  /** For products: where w lies in the heap, from the start, and its stride from input to input. */
  readonly weights?: number;
  readonly weightStride?: number;
  readonly inputs?: number;
  readonly least?: number;
}

/** Words of an encoded instruction. */
export const INSTRUCTION_WORDS = 20;

/** Writes an instruction into the heap, the words of which are 32-bit integers but for `least`. */
export function encode(heap: Float32Array, at: number, instruction: Instruction): void {
  const {
    op,
    y,
    a,
    b = a,
    length,
    columns = 0,
    weights = 0,
    weightStride = 0,
    inputs = 0,
    least = 0,
  } = instruction;
  const words = new Int32Array(heap.buffer, heap.byteOffset + 4 * at, INSTRUCTION_WORDS);
  words[0] = op;
  for (const [i, { base, offset, stride, columnStride = 0 }] of [y, a, b].entries()) {
    words[3 * i + 1] = base;
    words[3 * i + 2] = offset;
    words[3 * i + 3] = stride;
    words[i + 16] = columnStride;
  }
  words[10] = length;
  words[11] = weights;
  words[12] = weightStride;
  words[13] = inputs;
  heap[at + 14] = least;
  words[15] = columns;
}
