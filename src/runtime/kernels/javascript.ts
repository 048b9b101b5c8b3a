import {
  activations,
  exp,
  expFloat32,
  log,
  oneMinusExpFloat32,
  pmax,
  tanhTimesSigmoid,
  timesSigmoid,
} from './arithmetic';
import { INSTRUCTION_WORDS, OPS, type OpName, type SamplingKernels, Word } from './instruction';
import { OUTPUTS, unpacked } from './packed';

const fround = Math.fround;

/** A heap, and other views of the same memory. */
export const memoryOf = (buffer: ArrayBuffer) => ({
  heap: new Float32Array(buffer),
  words: new Int32Array(buffer),
  view: new DataView(buffer),
});

/** The kernels in plain JavaScript, used if WebAssembly SIMD is missing or a page's policy forbids it. */
export function javascriptKernels(floats: number): SamplingKernels {
  const memory = memoryOf(new ArrayBuffer(8 * Math.ceil(floats / 2)));
  const { heap, words } = memory;
  const doubles = new Float64Array(heap.buffer);
  return {
    heap,
    words,
    run(start, end, bases, images) {
      for (let at = start; at < end; at += INSTRUCTION_WORDS) runInstruction(memory, at, bases, images);
    },
    /** The equivalent of assembly/softmax.ts. */
    softmax(y, sums, x, images, levels, scale) {
      for (let n = 0; n < images; n++) {
        const from = x + n * levels; // not as a pair, with which WebKit 2.50 compiles this loop wrongly
        const to = y + n * levels;
        const max = largest(heap, from, levels);
        const partial: Quarters = [0, 0, 0, 0];
        for (let i = 0; i < levels; i++) {
          const e = exp(((heap[from + i] as number) - max) * scale);
          doubles[to + i] = e;
          partial[(i & 3) as 0] += e;
        }
        doubles[sums + n] = partial[0] + partial[2] + (partial[1] + partial[3]); // in the order in which vectors add
      }
    },
  };
}

/** An {@link Instruction} for one image, or one column of it: operands are positions in the heap. */
interface Item extends Record<Exclude<keyof typeof Word, 'op' | 'columns'>, number> {
  readonly heap: Float32Array;
}

type BinaryFunction = (x: number, z: number) => number;

/** The operations that compute y[i] from a[i] and b[i]. */
const BINARY = {
  add: (a: number, b: number) => a + b,
  multiply: (a: number, b: number) => a * b,
  gate: tanhTimesSigmoid,
  glu: timesSigmoid,
  maximum: Math.max,
  minimum: Math.min,
};

type OtherOp = Exclude<OpName, keyof typeof activations | keyof typeof BINARY>;

const LOOPS: Readonly<Record<OtherOp, (item: Item) => void>> = {
  product: (item) => product(item, item.heap),
  productPacked,
  unpack: (item) => item.heap.set(unpackedWeights(item), item.y),
  depthwise,
  lookup,
  attend,
  concatElu,
  normalize: (item) => normalize(item, true),
  rms: (item) => normalize(item, false),
  softmax: (item) => groupSoftmax(item, false),
  logSoftmax: (item) => groupSoftmax(item, true),
  copy: ({ heap, y, a, length }) => heap.copyWithin(y, a, a + length),
  relu({ heap, y, a, length }) {
    for (let i = 0; i < length; i++) heap[y + i] = pmax(heap[a + i] as number, 0);
  },
  oneHot({ heap, y, a, length, parameter }) {
    const hot = (heap[a] as number) - parameter;
    for (let i = 0; i < length; i++) heap[y + i] = i === hot ? 1 : 0;
  },
};

function loopOf(name: OpName): (item: Item) => void {
  const binary = (BINARY as Partial<Record<OpName, BinaryFunction>>)[name];
  const fn: BinaryFunction = binary ?? activations[name as keyof typeof activations];
  return (
    LOOPS[name as OtherOp] ??
    (({ heap, y, a, b, length, parameter }) => {
      for (let i = 0; i < length; i++)
        heap[y + i] = fn(heap[a + i] as number, binary ? (heap[b + i] as number) : parameter);
    })
  );
}

export function runInstruction(
  { heap, words, view }: ReturnType<typeof memoryOf>,
  at: number,
  bases: number,
  images: number,
): void {
  const word = (index: number) => words[at + index] as number;
  const place = (first: number, n: number, column: number) =>
    (words[bases + word(first)] as number) + word(first + 1) + n * word(first + 2) + column * word(first + 3);
  const item: Item = {
    heap,
    y: 0,
    a: 0,
    b: 0,
    c: 0,
    length: word(Word.length),
    weights: word(Word.weights),
    weightStride: word(Word.weightStride),
    inputs: word(Word.inputs),
    rows: word(Word.rows),
    span: word(Word.span),
    gap: word(Word.gap),
    parameter: view.getFloat64(4 * (at + Word.parameter), true),
  };
  const name = OPS[word(Word.op)] as OpName;
  const loop = loopOf(name);
  const columns = word(Word.columns) || 1;
  for (let n = 0; n < images; n++) {
    for (let column = 0; column < columns; column++) {
      item.y = place(Word.y, n, column);
      item.a = place(Word.a, n, column);
      item.b = place(Word.b, n, column);
      item.c = place(Word.c, n, column);
      loop(item);
      if (name === 'unpack') return; // once for all
    }
  }
}

/**
 * The equivalent of assembly/product.ts for one image: y = max(b + a w, parameter), from positions in the heap. Four outputs at a
 * time, as weights lie; the last ones may not be there, and are not stored.
 */
function product(item: Item, kernel: Float32Array): void {
  const { heap, y, a, b, length, weights, weightStride, inputs, span, gap, parameter } = item;
  for (let o = 0, first = weights; o < length; o += 4, first += weightStride) {
    let sum0 = heap[b + o] as number;
    let sum1 = heap[b + o + 1] as number;
    let sum2 = heap[b + o + 2] as number;
    let sum3 = heap[b + o + 3] as number;
    let w = first;
    for (let left = inputs, x = a; left > 0; left -= span, x += span + gap) {
      for (let i = 0, count = Math.min(left, span); i < count; i++, w += 4) {
        const value = heap[x + i] as number;
        sum0 = fround(sum0 + fround(value * (kernel[w] as number)));
        sum1 = fround(sum1 + fround(value * (kernel[w + 1] as number)));
        sum2 = fround(sum2 + fround(value * (kernel[w + 2] as number)));
        sum3 = fround(sum3 + fround(value * (kernel[w + 3] as number)));
      }
    }
    const last = y + length - 1;
    let to = y + o;
    heap[to] = pmax(sum0, parameter);
    if (to < last) heap[++to] = pmax(sum1, parameter);
    if (to < last) heap[++to] = pmax(sum2, parameter);
    if (to < last) heap[++to] = pmax(sum3, parameter);
  }
}

function productPacked(item: Item): void {
  product({ ...item, weights: 0, weightStride: 4 * item.inputs }, unpackedWeights(item));
}

/** Packed weights as those of `product`, [outputs/4][inputs][4]. */
function unpackedWeights({ heap, length, weights, weightStride, inputs, c }: Item): Float32Array {
  const all = new Float32Array(inputs * length); // what a block has beyond it is not written
  for (let o = 0; o < length; o += OUTPUTS) {
    const packed = new Uint16Array(
      heap.buffer,
      4 * (weights + (o / OUTPUTS) * weightStride),
      OUTPUTS * inputs,
    );
    const outputAt = (place: number) => o + 4 * (place & 1) + ((place >> 1) & 3);
    const factors = Float32Array.from({ length: OUTPUTS }, (_, place) => heap[c + outputAt(place)] as number);
    for (const [i, number] of unpacked(packed, factors).entries()) {
      const output = outputAt(i);
      all[(output & -4) * inputs + 4 * (i >> 3) + (output & 3)] = number;
    }
  }
  return all;
}

/** As in assembly/product.ts: y = max(b + the sum of products of rows of a and w, parameter). */
function depthwise({ heap, y, a, b, length, weights, weightStride, inputs, gap, parameter }: Item): void {
  for (let o = 0; o < length; o++) {
    let sum = heap[b + o] as number;
    for (let i = 0, x = a + o, w = weights + o; i < inputs; i++, x += gap, w += weightStride)
      sum = fround(sum + fround((heap[x] as number) * (heap[w] as number)));
    heap[y + o] = pmax(sum, parameter);
  }
}

/** As in assembly/lookup.ts: y = max(b + the rows that a refers to, parameter); y may be at the position of b. */
function lookup(item: Item): void {
  const { heap, y, a, b, length, weights, weightStride, inputs, rows, span, gap, parameter } = item;
  const next = rows * weightStride;
  for (let o = 0; o < length; o++) {
    let sum = heap[b + o] as number;
    let w = weights - weightStride + o;
    for (let left = inputs, x = a; left > 0; left -= span, x += span + gap) {
      for (let i = 0, count = Math.min(left, span); i < count; i++, w += next) {
        const number = heap[x + i] as number; // counts from 1
        if (number > 0) sum = fround(sum + (heap[w + number * weightStride] as number));
      }
    }
    heap[y + o] = pmax(sum, parameter);
  }
}

/** As in assembly/attention.ts: sums over features and weights run in four parts, sums over values by place. */
function attend(item: Item): void {
  const { heap, y, a, b, c, length, weights, weightStride, inputs } = item;
  const scale = fround(item.parameter);
  const places = (c - b) / weightStride;
  let max = -Infinity;
  for (let p = 0, k = b; p < places; p++, k += weightStride) {
    const sums: Quarters = [0, 0, 0, 0];
    for (let i = 0; i < weightStride; i++) {
      const product = fround((heap[a + i] as number) * (heap[k + i] as number));
      sums[(i & 3) as 0] = fround(sums[(i & 3) as 0] + product);
    }
    const score = fround(sumOf(sums) * scale);
    heap[weights + p] = score;
    max = pmax(max, score);
  }
  const totals: Quarters = [0, 0, 0, 0];
  for (let p = 0; p < places; p++) {
    const weight = expFloat32(fround((heap[weights + p] as number) - max));
    heap[weights + p] = weight;
    totals[(p & 3) as 0] = fround(totals[(p & 3) as 0] + weight);
  }
  const total = sumOf(totals) || 1; // 0 if there are no places
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let p = 0, v = b + inputs + i; p < places; p++, v += length)
      sum = fround(sum + fround((heap[weights + p] as number) * (heap[v] as number)));
    heap[y + i] = sum / total;
  }
}

type Quarters = [number, number, number, number];

const sumOf = ([a, b, c, d]: Quarters) => fround(fround(a + c) + fround(b + d));

/** Writes elu(a) to y and elu(-a) to b, with a single exponential, since one of a and -a is not negative. */
function concatElu({ heap, y, a, b, length }: Item): void {
  for (let i = 0; i < length; i++) {
    const x = heap[a + i] as number;
    const size = Math.abs(x);
    const below = 0 - oneMinusExpFloat32(-size);
    heap[y + i] = x > 0 ? x : below;
    heap[b + i] = x > 0 ? below : size;
  }
}

/** Layer or RMS normalization, in float64; y may be at the position of a. */
function normalize({ heap, y, a, b, length, weights, parameter }: Item, isCentered: boolean): void {
  let mean = 0;
  if (isCentered) for (let i = 0; i < length; i++) mean += (heap[a + i] as number) / length;
  let variance = 0;
  for (let i = 0; i < length; i++) variance += ((heap[a + i] as number) - mean) ** 2 / length;
  const factor = 1 / Math.sqrt(variance + parameter);
  for (let i = 0; i < length; i++) {
    const normal = ((heap[a + i] as number) - mean) * factor;
    heap[y + i] = normal * (heap[b + i] as number) + (heap[weights + i] as number);
  }
}

/** e^a / sum e^a, or its logarithm, in float64; y may be at the position of a. */
function groupSoftmax({ heap, y, a, length }: Item, isLog: boolean): void {
  const max = largest(heap, a, length);
  let sum = 0;
  for (let i = 0; i < length; i++) sum += exp((heap[a + i] as number) - max);
  const logSum = log(sum);
  for (let i = 0; i < length; i++) {
    const x = (heap[a + i] as number) - max;
    heap[y + i] = isLog ? x - logSum : exp(x) / sum;
  }
}

function largest(heap: Float32Array, from: number, count: number): number {
  let max = heap[from] as number;
  for (let i = 1; i < count; i++) max = pmax(max, heap[from + i] as number);
  return max;
}
