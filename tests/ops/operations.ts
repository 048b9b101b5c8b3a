import type * as tf from '@tensorflow/tfjs-core';
import { tensor, tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { attention, provideAttentionKernels } from '../../src/ops/attention';
import { causalConv2d, dilated, everySecond } from '../../src/ops/causal-conv';
import { concatElu, provideConcatEluKernels } from '../../src/ops/concat-elu';
import { crossEntropy } from '../../src/ops/cross-entropy';
import { depthwiseConv2d } from '../../src/ops/depthwise-conv';
import { gate, provideGateKernels } from '../../src/ops/gate';
import { gaussianNats } from '../../src/ops/gaussian';
import { layerNorm, provideLayerNormKernels } from '../../src/ops/layer-norm';
import { logisticMixtureNats } from '../../src/ops/logistic-mixture';
import { normalizedKernel } from '../../src/ops/normalized-kernel';
import { pixelLSTM, provideLSTMKernels } from '../../src/ops/pixel-lstm';
import { numParameters } from '../../src/runtime/distributions/mixture-parameters';
import { slowAttention } from '../support/slow/attention';
import { slowGaussian } from '../support/slow/gaussian';
import { slowLSTM } from '../support/slow/lstm';
import { slowMixture } from '../support/slow/mixture';
import { noise } from '../support/tensors';

provideAttentionKernels();
provideLSTMKernels();
provideGateKernels();
provideConcatEluKernels();
provideLayerNormKernels();

// All operations on tensors that have gradients: each is a row of the table at the end. Another one is another row.

type Numbers = readonly number[];

/** An operation on inputs of some sizes. */
export interface Case {
  /** The inputs that have gradients. */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly values: Numbers }[];
  readonly shape: readonly number[];
  run(...inputs: tf.Tensor[]): tf.Tensor;
  /** What it is, by loops in float64. */
  slow(...inputs: Numbers[]): ArrayLike<number>;
  /** Of values, relative to 1 and the largest of them. @default 1e-6 */
  readonly tolerance?: number;
  /** Whether the gradient for a number of an input is unspecified, since a mask leaves it out. */
  isUnused?(input: number, at: number): boolean;
}

export interface Operation {
  readonly cases: fc.Arbitrary<Case>;
  /** How many cases are tried. @default 30 */
  readonly numRuns?: number;
  /** One that has all there is. Further laws are about this case. */
  readonly example: Case;
  /** The case of second derivatives where a backend lacks those of the example. @default the example */
  readonly twice?: Case;
  /** Our own kernels that compute it and then all of its gradients, without `PixelCNN`. */
  readonly kernels: readonly string[];
  /** How many numbers stay in memory for the gradient of the example, if that is a law. */
  readonly kept?: number;
  /** Whether a NaN reaches the outputs that it reaches in loops, and no others, on every backend. @default true */
  readonly keepsNaN?: false;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Random numbers of a shape. */
const given = (shape: readonly number[], seed: number, fn = (x: number, _at: number) => x) => ({
  shape,
  values: Array.from(noise(sizeOf(shape), seed), (x, at) => Math.fround(fn(x, at))),
});

const seed = fc.integer({ min: 1, max: 1000 });
const oneOf = (...numbers: number[]) => fc.constantFrom(...numbers);
const upTo = (max: number) => fc.integer({ min: 1, max });
/** Whole vectors of four, and tails of each length. */
const size = upTo(13);

const map = fc.tuple(upTo(3), upTo(3), upTo(4));
const map4 = fc.tuple(upTo(3), upTo(4), upTo(4), upTo(5));

/** What an arbitrary gives. */
type Of<Cases> = Cases extends fc.Arbitrary<infer T> ? T : never;

/** Columns of a kernel, those to the left of the output's own, and those that are used of the last row. */
const anyColumns = upTo(6).chain((columns) => fc.tuple(fc.constant(columns), fc.nat(columns - 1), fc.nat(columns)));
/** A pixel is seen, and what is to its left, or also to its right: what models have. */
const usualColumns = anyColumns.chain(([columns, left]) => fc.constantFrom<Columns>([columns, left, left + 1], [columns, left, columns]));
type Columns = [columns: number, left: number, present: number];

const convolutions = fc.record({
  x: fc.tuple(upTo(2), upTo(4), upTo(7), upTo(9)),
  filters: upTo(17),
  rows: upTo(4),
  columns: fc.oneof(usualColumns, anyColumns),
  dilation: fc.constantFrom<[number, number]>([1, 1], [1, 1], [2, 1], [1, 3], [3, 2]),
  groups: fc.constantFrom(1, 1, 1, 2, 3),
  activation: fc.constantFrom('linear', 'relu'),
  hasBias: fc.boolean(),
  seed,
});
type Convolution = Of<typeof convolutions>;
type Recipe = Omit<Convolution, 'dilation' | 'groups'> & Partial<Convolution>;

function convolution({ x: [n, h, w, ins], filters: outs, rows, columns: [columns, left, present], ...more }: Recipe): Case {
  const { dilation = [1, 1], groups = 1, activation, hasBias, seed } = more;
  const x = [n, h, w, groups * ins];
  const [features, filters] = [ins, groups * outs]; // that an output sees, and all outputs
  const kernel = given([rows, columns, features, filters], seed + 1);
  // What is not used of the last row is 0, as a mask leaves it.
  const isUsed = (tap: number) => tap < (rows - 1) * columns + present;
  const isUnused = (input: number, i: number) => input === 1 && !isUsed(Math.floor(i / (features * filters)));
  const values = kernel.values.map((value, i) => (isUnused(1, i) ? 0 : value));
  const bias = hasBias ? [given([filters], seed + 2)] : [];
  return {
    inputs: [given(x, seed), { ...kernel, values }, ...bias],
    shape: [n, h, w, filters],
    tolerance: 1e-5, // sums of up to 200 products
    isUnused,
    run: (...[xs, k, b]) =>
      causalConv2d(xs as tf.Tensor4D, k as tf.Tensor4D, (b as tf.Tensor1D) ?? null, activation, left, present, dilation, groups),
    slow: (...[xs = [], k = [], b]) =>
      Array.from({ length: n * h * w * filters }, (_, at) => {
        const [o, pixel] = [at % filters, Math.floor(at / filters)];
        const [j, i, image] = [pixel % w, Math.floor(pixel / w) % h, Math.floor(pixel / w / h)];
        const group = Math.floor(o / outs);
        let z = b?.[o] ?? 0;
        for (let tap = 0; tap < rows * columns; tap++) {
          const [down, right] = [Math.floor(tap / columns) - (rows - 1), (tap % columns) - left];
          const [r, c] = [i + down * dilation[0], j + right * dilation[1]];
          if (!isUsed(tap) || r < 0 || c < 0 || c >= w) continue;
          for (let f = 0; f < features; f++)
            z +=
              (xs[(((image * h + r) * w + c) * groups + group) * features + f] as number) *
              (k[(tap * features + f) * filters + o] as number);
        }
        return activation === 'relu' ? Math.max(z, 0) : z;
      }),
  };
}

function depthwise({ x, rows, columns: [columns, left, present], dilation = [1, 1], seed }: Recipe): Case {
  const [n, h, w, features] = x;
  const isUsed = (tap: number) => tap < (rows - 1) * columns + present;
  const isUnused = (input: number, i: number) => input === 1 && !isUsed(Math.floor(i / features));
  const kernel = given([rows, columns, 1, features], seed + 1);
  return {
    inputs: [given(x, seed), { ...kernel, values: kernel.values.map((value, i) => (isUnused(1, i) ? 0 : value)) }],
    shape: x,
    tolerance: 1e-5, // sums of up to 24 products, and of all pixels
    isUnused,
    run: (...[xs, k]) => depthwiseConv2d(xs as tf.Tensor4D, k as tf.Tensor4D, { left, presentColumns: present, dilation }),
    slow: (...[xs = [], k = []]) =>
      Array.from({ length: n * h * w * features }, (_, at) => {
        const [f, pixel] = [at % features, Math.floor(at / features)];
        const [j, i, image] = [pixel % w, Math.floor(pixel / w) % h, Math.floor(pixel / w / h)];
        let z = 0;
        for (let tap = 0; tap < rows * columns; tap++) {
          const r = i + (Math.floor(tap / columns) - (rows - 1)) * dilation[0];
          const c = j + ((tap % columns) - left) * dilation[1];
          if (!isUsed(tap) || r < 0 || c < 0 || c >= w) continue;
          z += (xs[((image * h + r) * w + c) * features + f] as number) * (k[tap * features + f] as number);
        }
        return z;
      }),
  };
}

const gates = fc.record({
  x: map,
  channels: upTo(3),
  size,
  scale: oneOf(0.1, 3, 100),
  hasCondition: fc.boolean(),
  kind: fc.constantFrom('tanh', 'linear'),
  seed,
});

function gated({ x: [n, h, w], channels, size, scale, hasCondition, kind, seed }: Of<typeof gates>): Case {
  const features = 2 * channels * size;
  const scaled = (shape: number[], seed: number) => given(shape, seed, (value) => scale * value);
  return {
    inputs: [scaled([n, h, w, features], seed), ...(hasCondition ? [scaled([n, features], seed + 1)] : [])],
    shape: [n, h, w, features / 2],
    run: (...[x, condition]) => gate(x as tf.Tensor4D, channels, (condition as tf.Tensor2D) ?? null, kind),
    slow: (...[x = [], condition]) =>
      Array.from({ length: (n * h * w * features) / 2 }, (_, i) => {
        const [pixel, f] = [Math.floor(i / (features / 2)), i % (features / 2)];
        const a = f + size * Math.floor(f / size);
        const before = (f: number) => (x[pixel * features + f] as number) + (condition?.[Math.floor(pixel / (h * w)) * features + f] ?? 0);
        const first = kind === 'linear' ? before(a) : Math.tanh(before(a));
        return first / (1 + Math.exp(-before(a + size)));
      }),
  };
}

const elu = (x: number) => (x > 0 ? x : Math.expm1(x));

function bothElus({ shape, size, scale, seed }: { shape: number[]; size: number; scale: number; seed: number }): Case {
  return {
    inputs: [given([...shape, size], seed, (x) => scale * x)],
    shape: [...shape, 2 * size],
    run: (x) => concatElu(x as tf.Tensor),
    slow: (x = []) =>
      Array.from({ length: 2 * x.length }, (_, i) => {
        const [row, f] = [Math.floor(i / (2 * size)), i % (2 * size)];
        return elu(f < size ? (x[row * size + f] as number) : -(x[row * size + f - size] as number));
      }),
  };
}

const norms = fc.record({
  x: map,
  groups: upTo(3),
  size,
  epsilon: oneOf(0.001, 0.5),
  spread: oneOf(0.1, 3, 100),
  offset: oneOf(0, 5),
  hasScale: fc.boolean(),
  hasShift: fc.boolean(),
  norm: fc.constantFrom('layer', 'rms'),
  seed,
});

function normalization({ x: [n, h, w], groups, size, epsilon, spread, offset, hasScale, hasShift, norm, seed }: Of<typeof norms>): Case {
  const features = groups * size;
  const shape = [n, h, w, features];
  return {
    inputs: [
      given(shape, seed, (x) => spread * x + offset),
      ...(hasScale ? [given([features], seed + 1)] : []),
      ...(hasShift ? [given([features], seed + 2)] : []),
    ],
    shape,
    tolerance: 2e-6 * (1 + (offset + spread) / Math.hypot(spread / 3, Math.sqrt(epsilon))), // what rounding makes of x
    run: (...[x, ...weights]) => {
      const scale = hasScale ? (weights.shift() as tf.Tensor1D) : undefined;
      const shift = hasShift ? (weights.shift() as tf.Tensor1D) : undefined;
      return layerNorm({ x: x as tf.Tensor4D, scale, shift }, { groups, epsilon, norm });
    },
    slow: (...[x = [], ...weights]) => {
      const scale = hasScale ? weights.shift() : undefined;
      const shift = hasShift ? weights.shift() : undefined;
      return x.map((value, i) => {
        const group = x.slice(i - (i % size), i - (i % size) + size);
        const mean = norm === 'rms' ? 0 : group.reduce((a, b) => a + b, 0) / size;
        const variance = group.reduce((sum, of) => sum + (of - mean) ** 2, 0) / size;
        const normal = (value - mean) / Math.sqrt(variance + epsilon);
        return normal * (scale?.[i % features] ?? 1) + (shift?.[i % features] ?? 0);
      });
    },
  };
}

const kernels = fc.record({ shape: fc.tuple(upTo(3), upTo(3), upTo(20)), outputs: size, scale: oneOf(1e-8, 0.05, 30), seed });

function byDirection({ shape, outputs, scale, seed }: Of<typeof kernels>): Case {
  return {
    inputs: [given([...shape, outputs], seed, (x) => scale * x), given([outputs], seed + 1)],
    shape: [...shape, outputs],
    run: (...[v, gain]) => normalizedKernel(v as tf.Tensor4D, gain as tf.Tensor1D),
    slow: (v = [], gain = []) => {
      const squares = gain.map((_, o) => v.reduce((sum, x, i) => sum + (i % outputs === o ? x * x : 0), 0));
      return v.map((x, i) => {
        const square = Math.max(squares[i % outputs] as number, 1e-12);
        return ((gain[i % outputs] as number) * x) / Math.sqrt(square);
      });
    },
  };
}

const attentions = fc.record({
  x: fc.tuple(upTo(2), upTo(4), upTo(4)),
  heads: upTo(3),
  size: upTo(5),
  valueSize: upTo(5),
  own: fc.boolean(),
  scale: oneOf(0.1, 1, 5),
  chunk: fc.constantFrom(1, 2, 3, 5, undefined),
  seed,
});

function attended({ x: [n, h, w], heads, size, valueSize, own, scale, chunk, seed }: Of<typeof attentions>): Case {
  const [scored, shape] = [size, valueSize].map((of) => [n, h, w, heads * of]) as [number[], number[]];
  return {
    inputs: [scored, scored, shape].map((of, i) => given(of, seed + i, (x) => scale * x)),
    shape,
    tolerance: 3e-6 * Math.max(1, scale ** 2), // scores are up to scale^2
    run: (...[queries, keys, values]) =>
      attention({ queries, keys, values } as Parameters<typeof attention>[0], { heads, own, ...(chunk !== undefined && { chunk }) }),
    slow: (q = [], k = [], v = []) => slowAttention([q, k, v], { n, places: h * w, heads, size, valueSize, own }),
  };
}

const lstms = fc.record({
  x: fc.tuple(upTo(2), upTo(5), upTo(6)),
  groups: upTo(3),
  size: upTo(2),
  columns: oneOf(1, 3, 5),
  path: fc.constantFrom('rows', 'fromLeft', 'fromRight'),
});
type LSTM = Of<typeof lstms>;

function states({ x: [n, h, w], groups, size, columns: across, path }: LSTM): Case {
  const features = groups * size;
  const columns = path === 'rows' ? across : 2; // along diagonals
  const scale = (x: number) => 1.5 * x;
  const kernel = [...(path === 'rows' ? [1, columns] : [2, 1]), features, 4 * features];
  return {
    inputs: [given([n, h, w, 4 * features], 1, scale), given(kernel, 2, (x) => scale(x) / Math.sqrt(size))],
    shape: [n, h, w, features],
    tolerance: 1e-5,
    run: (...[z, k]) => pixelLSTM(z as tf.Tensor4D, k as tf.Tensor4D, path, groups),
    slow: (z = [], k = []) => slowLSTM(z, k, { n, h, w, groups, size, columns, path }),
  };
}

/** The case as a function of its first input alone: tfjs's wasm backend lacks the second derivatives for a kernel. */
function withConstant({ inputs: [z, kernel], shape, run, slow }: Case): Case {
  if (z === undefined || kernel === undefined) throw new Error('wanted two inputs');
  return {
    inputs: [z],
    shape,
    run: (x) => run(x as tf.Tensor, tensor([...kernel.values], [...kernel.shape])),
    slow: (x = []) => slow(x, kernel.values),
  };
}

const entropies = fc.record({ rows: upTo(5), levels: fc.integer({ min: 2, max: 40 }), scale: oneOf(0.1, 1, 30, 1000), seed });

function entropy({ rows, levels, scale, seed }: Of<typeof entropies>): Case {
  const labels = Array.from({ length: rows }, (_, row) => (7 * row + seed) % levels);
  return {
    inputs: [given([rows, levels], seed, (x) => scale * x)],
    shape: [rows],
    run: (x) => crossEntropy(tensor1d(labels, 'int32'), x as tf.Tensor2D),
    slow: (x = []) =>
      labels.map((label, row) => {
        const logits = x.slice(row * levels, (row + 1) * levels);
        const most = Math.max(...logits);
        const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
        return most + Math.log(sum) - (logits[label] as number);
      }),
  };
}

const mixtures = fc.record({
  imageChannels: upTo(5),
  components: upTo(6),
  levels: oneOf(2, 3, 7, 256, 4096, 65536),
  rows: upTo(9),
  spread: oneOf(0.3, 1, 2),
  seed,
});

function mixture({ rows, spread, seed, ...sizes }: Of<typeof mixtures>): Case {
  const { imageChannels, levels } = sizes;
  const labels = Array.from(noise(rows * imageChannels, seed + 1), (x) => Math.round(((x + 1) / 2) * (levels - 1)));
  return {
    inputs: [given([rows, numParameters(sizes)], seed, (x) => 2 * spread * x)],
    shape: [rows, imageChannels],
    tolerance: 4e-6 * spread,
    run: (x) => logisticMixtureNats(tensor2d(labels, [rows, imageChannels], 'int32'), x as tf.Tensor2D, sizes),
    slow: (x = []) => slowMixture(labels, x, sizes),
  };
}

const gaussians = fc.record({ imageChannels: upTo(4), levels: oneOf(2, 3, 17, 256, 65536), rows: upTo(9), spread: oneOf(0.1, 1, 8), seed });

function gaussian({ imageChannels, levels, rows, spread, seed }: Of<typeof gaussians>): Case {
  const sizes = { levels, offset: levels >> 1 };
  const shape = [rows, imageChannels] as const;
  const parameters = given([rows, 2 * imageChannels], seed, (x, i) => (i % 2 === 0 ? x : spread * x));
  const labels = Array.from(noise(rows * imageChannels, seed + 2), (x, i) => {
    const level = Math.round(sizes.offset + 3 * x * Math.exp(parameters.values[2 * i + 1] as number));
    return Math.min(Math.max(level, 0), levels - 1);
  });
  return {
    inputs: [parameters],
    shape,
    tolerance: 2e-6,
    run: (x) => gaussianNats(tensor2d(labels, [...shape], 'int32'), x as tf.Tensor2D, sizes),
    slow: (x = []) => slowGaussian(labels, x, sizes),
  };
}

type Shape4 = [n: number, h: number, w: number, features: number];

/** Where the places of a map [N,H,W,F] are in one of twice as many rows and columns. */
const placesOf = ([n, h, w, features]: Shape4) =>
  Array.from({ length: n * h * w * features }, (_, i) => {
    const [f, column, row] = [i % features, Math.floor(i / features) % w, Math.floor(i / features / w)]; // row of all images
    return (4 * row * w + 2 * column) * features + f;
  });

function everyOther([n, h, w, features]: Shape4): Case {
  const places = placesOf([n, h, w, features]);
  return {
    inputs: [given([n, 2 * h, 2 * w, features], 1)],
    shape: [n, h, w, features],
    tolerance: 0,
    run: (x) => everySecond(x as tf.Tensor4D),
    slow: (x = []) => places.map((place) => x[place] as number),
  };
}

function spread([n, h, w, features]: Shape4): Case {
  const places = placesOf([n, h, w, features]);
  return {
    inputs: [given([n, h, w, features], 1)],
    shape: [n, 2 * h, 2 * w, features],
    tolerance: 0,
    run: (x) => dilated(x as tf.Tensor4D),
    slow: (x = []) => {
      const to = new Array(4 * x.length).fill(0);
      for (const [i, place] of places.entries()) to[place] = x[i];
      return to;
    },
  };
}

export const operations: Readonly<Record<string, Operation>> = {
  causalConv2d: {
    cases: convolutions.map(convolution),
    numRuns: 40,
    example: convolution({ x: [2, 3, 5, 3], filters: 9, rows: 2, columns: [5, 2, 3], activation: 'relu', hasBias: true, seed: 1 }),
    // Of larger kernels, tfjs's wasm backend lacks the gradients.
    twice: convolution({ x: [2, 2, 3, 2], filters: 3, rows: 1, columns: [2, 0, 1], activation: 'relu', hasBias: true, seed: 1 }),
    kernels: ['CausalConv2D', 'CausalConv2DInputGradient', 'CausalConv2DWeightGradients'],
    keepsNaN: false, // a ReLU of tfjs does not, on some backends
  },
  'causalConv2d, wider': {
    cases: fc.record<Recipe>({ x: fc.tuple(upTo(2), upTo(2), fc.integer({ min: 8, max: 40 }), upTo(9)), filters: upTo(17),
      rows: oneOf(1, 2, 7), columns: usualColumns, activation: fc.constantFrom('linear', 'relu'), hasBias: fc.boolean(), seed }).map(convolution),
    numRuns: 6,
    example: convolution({ x: [1, 1, 40, 1], filters: 17, rows: 7, columns: [5, 2, 3], activation: 'relu', hasBias: true, seed: 1 }),
    twice: convolution({ x: [2, 1, 9, 1], filters: 2, rows: 1, columns: [1, 0, 1], activation: 'linear', hasBias: true, seed: 1 }),
    kernels: ['CausalConv2D', 'CausalConv2DInputGradient', 'CausalConv2DWeightGradients'],
    keepsNaN: false,
  },
  depthwiseConv2d: {
    cases: convolutions.map(depthwise),
    example: depthwise({ x: [2, 3, 5, 6], filters: 6, rows: 2, columns: [5, 2, 3], activation: 'linear', hasBias: false, seed: 1 }),
    kernels: ['DepthwiseConv2D', 'DepthwiseConv2DGradient'],
    keepsNaN: false, // where the zeros around the image are multiplied by a weight that is NaN
  },
  gate: {
    cases: gates.map(gated),
    example: gated({ x: [2, 2, 3], channels: 2, size: 3, scale: 1, hasCondition: true, kind: 'tanh', seed: 1 }),
    kernels: ['Gate', 'GateGradient'],
  },
  'gate, linear': {
    cases: fc.record({ x: map, size, seed }).map((sizes) => gated({ ...sizes, channels: 2, scale: 1, hasCondition: true, kind: 'linear' })),
    numRuns: 5, // there are some above, too
    example: gated({ x: [2, 2, 3], channels: 2, size: 3, scale: 1, hasCondition: true, kind: 'linear', seed: 1 }),
    kernels: ['LinearGate', 'LinearGateGradient'],
  },
  concatElu: {
    cases: fc.record({ shape: fc.array(upTo(4), { maxLength: 3 }), size, scale: oneOf(0.1, 3, 100), seed }).map(bothElus),
    example: bothElus({ shape: [2, 2], size: 5, scale: 2, seed: 1 }),
    kernels: ['ConcatElu', 'ConcatEluGradient'],
    kept: 2 * 2 * 5, // its input
  },
  layerNorm: {
    cases: norms.map(normalization),
    example: normalization({ x: [1, 2, 2], groups: 3, size: 4, epsilon: 0.1, spread: 1, offset: 0, hasScale: true, hasShift: true,
      norm: 'rms', seed: 1 }),
    kernels: ['LayerNorm', 'LayerNormGradient'],
  },
  normalizedKernel: {
    // Of the first scale, the norm is less than the smallest that counts.
    cases: kernels.map(byDirection),
    example: byDirection({ shape: [1, 2, 4], outputs: 3, scale: 1, seed: 1 }),
    kernels: ['NormalizedKernel', 'NormalizedKernelGradient'],
  },
  attention: {
    cases: attentions.map(attended),
    example: attended({ x: [2, 2, 3], heads: 2, size: 2, valueSize: 3, own: false, scale: 1, chunk: 2, seed: 1 }),
    twice: attended({ x: [2, 2, 3], heads: 2, size: 2, valueSize: 1, own: true, scale: 1, chunk: 2, seed: 1 }),
    kernels: ['CausalAttention', 'CausalAttentionGradient'],
    keepsNaN: false,
  },
  'attention, larger': {
    cases: fc.record({ h: fc.integer({ min: 5, max: 9 }), heads: upTo(2), size: upTo(64), valueSize: upTo(64), own: fc.boolean(),
      seed }).map(({ h, ...sizes }) => attended({ x: [1, h, 9], ...sizes, scale: 1, chunk: undefined })),
    numRuns: 4,
    example: attended({ x: [1, 7, 11], heads: 1, size: 5, valueSize: 9, own: true, scale: 1, chunk: undefined, seed: 1 }),
    twice: attended({ x: [1, 3, 3], heads: 1, size: 9, valueSize: 5, own: false, scale: 1, chunk: undefined, seed: 1 }),
    kernels: ['CausalAttention', 'CausalAttentionGradient'],
    keepsNaN: false,
  },
  pixelLSTM: {
    cases: lstms.map(states),
    example: states({ x: [2, 3, 4], groups: 2, size: 1, columns: 3, path: 'rows' }),
    twice: withConstant(states({ x: [2, 3, 4], groups: 2, size: 1, columns: 3, path: 'rows' })),
    kernels: ['LSTM', 'LSTMInputGradient', 'CausalConv2DWeightGradients'],
    keepsNaN: false,
  },
  'pixelLSTM, larger': {
    cases: fc.record<LSTM>({ x: fc.tuple(fc.constant(1), fc.constant(6), fc.constant(9)), groups: upTo(2), size: fc.integer({ min: 5,
      max: 13 }), columns: fc.constant(3), path: fc.constantFrom('rows', 'fromLeft', 'fromRight') }).map(states),
    numRuns: 3,
    example: states({ x: [1, 3, 4], groups: 1, size: 5, columns: 3, path: 'fromRight' }),
    twice: withConstant(states({ x: [1, 3, 4], groups: 1, size: 5, columns: 3, path: 'fromRight' })),
    kernels: ['LSTM', 'LSTMInputGradient', 'CausalConv2DWeightGradients'],
    keepsNaN: false,
  },
  crossEntropy: {
    cases: entropies.map(entropy),
    example: entropy({ rows: 4, levels: 7, scale: 2, seed: 1 }),
    kernels: ['CrossEntropy'],
    kept: 4 * 7 + 4, // the slope, beside the labels
  },
  logisticMixtureNats: {
    cases: mixtures.map(mixture),
    example: mixture({ imageChannels: 3, components: 2, levels: 16, rows: 3, spread: 1, seed: 1 }),
    kernels: ['LogisticMixture', 'LogisticMixtureGradient'],
    kept: 3 * (4 * 2 + 2 * 10 + 3), // of each row: posteriors, slopes, and the labels
    keepsNaN: false,
  },
  gaussianNats: {
    cases: gaussians.map(gaussian),
    example: gaussian({ imageChannels: 2, levels: 9, rows: 5, spread: 1, seed: 1 }),
    kernels: [],
    kept: 3 * 5 * 2, // slopes, and the labels
    keepsNaN: false,
  },
  everySecond: { cases: map4.map(everyOther), numRuns: 10, example: everyOther([2, 2, 3, 3]), kernels: [] },
  dilated: { cases: map4.map(spread), numRuns: 10, example: spread([2, 2, 3, 3]), kernels: [] },
}; // biome-ignore format: a row is a table
