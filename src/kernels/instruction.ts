/** What an instruction does to each image: y from a and b. assembly/instructions.ts has the same numbers. */
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

/**
 * Where the words of an encoded instruction are. An operand takes four: base, offset, stride and column
 * stride, in this order. All are 32-bit integers but for `least`, a float. assembly/instructions.ts has the
 * same, in bytes.
 */
export const Word = {
  op: 0,
  y: 1,
  a: 5,
  b: 9,
  length: 13,
  columns: 14,
  weights: 15,
  weightStride: 16,
  inputs: 17,
  least: 18,
} as const;

export const INSTRUCTION_WORDS = 19;

/** Writes an instruction into the heap. */
export function encode(heap: Float32Array, at: number, instruction: Instruction): void {
  const { op, y, a, b = a, length, columns = 0 } = instruction;
  const { weights = 0, weightStride = 0, inputs = 0, least = 0 } = instruction;
  const words = new Int32Array(heap.buffer, heap.byteOffset + 4 * at, INSTRUCTION_WORDS);
  words[Word.op] = op;
  words.set(operandWords(y), Word.y);
  words.set(operandWords(a), Word.a);
  words.set(operandWords(b), Word.b);
  words[Word.length] = length;
  words[Word.columns] = columns;
  words[Word.weights] = weights;
  words[Word.weightStride] = weightStride;
  words[Word.inputs] = inputs;
  heap[at + Word.least] = least;
}

const operandWords = ({ base, offset, stride, columnStride = 0 }: Operand) => [
  base,
  offset,
  stride,
  columnStride,
];
