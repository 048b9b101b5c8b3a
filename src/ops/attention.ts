import {
  add,
  cast,
  concat,
  lessEqual,
  matMul,
  mul,
  pad,
  type Rank,
  range,
  reshape,
  slice,
  softmax,
  sub,
  sum,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor3d,
  tidy,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import { checkMemory } from '../core/check';
import { uniformsOf } from '../core/random';
import { defineOperation, type Implementation } from './operation';
import { address, filled, wasmKernel } from './wasm-kernels';

interface Inputs {
  /** All [N,H,W,U]. */
  readonly queries: Tensor4D;
  readonly keys: Tensor4D;
  readonly values: Tensor4D;
}

interface Attributes {
  readonly heads: number;
  readonly dropout: AttentionDropout | null;
  readonly chunk: number;
}

/**
 * What the gradients need. Our own kernels also save what they have computed, which is undefined after other
 * implementations.
 */
interface Saved extends Inputs {
  /** [N,H,W,U] */
  readonly y: Tensor4D | undefined;
  /** ln of the sum of e^score over each query's weights, [N,heads,H*W]. */
  readonly logSums: Tensor3D | undefined;
}

/** Which of the weights are dropped; the same for every call. */
export interface AttentionDropout {
  /** From 0, below 1. */
  readonly rate: number;
  readonly seed: string;
}

/** The most weights in a chunk of queries: 64 MiB. */
const MOST_WEIGHTS = 2 ** 24;

/**
 * The most queries in a chunk. Keys beyond those that the first query of a chunk sees are wasted arithmetic, which is
 * little for this many.
 */
const CHUNKS = 8;

/** The fewest queries that are worth the calls. */
const WORTHWHILE = 64;

/** Added to a score to hide it: lower than any score, and still finite in float32 when another score is subtracted. */
const HIDDEN = -1e38;

/**
 * Causal attention: each place gets the mean of the values of strictly earlier places, in row order, weighted by
 * softmax(q k / sqrt(U / heads)), separately for each of the heads. The first place gets zeros.
 *
 * The weights of all queries at all keys would be N * heads * (H * W)^2 numbers. They are computed for a chunk of
 * queries at a time, over the keys that these see, and recomputed for the gradient. Our own kernels process eight
 * queries at a time. They do not support dropout; with it, operations of tfjs are used.
 *
 * Source: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763; Vaswani et al., "Attention is all you need"
 * (2017), https://arxiv.org/abs/1706.03762, section 3.2.
 *
 * @param queries [N,H,W,U], as keys and values; U a multiple of `heads`
 * @param chunk queries that are computed together
 * @returns [N,H,W,U]
 */
export function attention(
  { queries, keys, values }: Inputs,
  heads: number,
  dropout: AttentionDropout | null = null,
  chunk = chunkOf(queries.shape, heads),
): Tensor4D {
  return operation({ queries, keys, values }, { heads, dropout, chunk });
}

/**
 * How many queries to compute together.
 *
 * @throws TypeError if not even those of one place fit
 */
export function chunkOf([n, h, w]: Tensor4D['shape'], heads: number): number {
  const places = h * w;
  checkMemory('attend: images, heads, height, width', [n, heads, h, w]);
  const fitting = Math.max(1, Math.floor(MOST_WEIGHTS / (n * heads * places)));
  return Math.min(fitting, Math.max(WORTHWHILE, Math.ceil(places / CHUNKS)));
}

/**
 * The heads of images, [N*heads,places-1,U/heads]: queries without the first place, keys and values without the last.
 */
interface Split {
  /** Divided by sqrt(U / heads). */
  readonly q: Tensor3D;
  readonly k: Tensor3D;
  readonly v: Tensor3D;
}

const composed: Implementation<Inputs, Attributes, Saved, Tensor4D> = {
  forward(inputs, attributes) {
    const { shape } = inputs.queries;
    const saved = { ...inputs, y: undefined, logSums: undefined };
    if (hasNoEarlier(inputs.queries)) return { y: zeros<Rank.R4>(shape), saved };
    const { q, k, v } = split(inputs, attributes.heads);
    const parts = chunksOf(q, attributes.chunk).map((chunk) =>
      tidy(() => {
        const { kept } = weightsOf(q, k, chunk, attributes.dropout);
        return matMul<Tensor3D>(kept, upTo(v, chunk)); // [B,size,end] x [B,end,D] -> [B,size,D]
      }),
    );
    return { y: joined([firstOf(q), ...parts], shape, attributes.heads), saved };
  },
  gradients(dy, inputs, attributes) {
    if (hasNoEarlier(dy)) {
      const none = () => zeros(dy.shape);
      return { queries: none, keys: none, values: none };
    }
    const [queries, keys, values] = tidy(() => gradients(dy, inputs, attributes));
    return { queries: () => queries, keys: () => keys, values: () => values };
  },
};

/** All three at once: each needs the weights. */
function gradients(
  dy: Tensor4D,
  inputs: Inputs,
  { heads, dropout, chunk: size }: Attributes,
): [queries: Tensor4D, keys: Tensor4D, values: Tensor4D] {
  const { shape } = inputs.queries;
  const { q, k, v } = split(inputs, heads);
  const all = afterFirst(headsOf(dy, heads)); // [B,places,D] -> [B,places-1,D]
  const first = firstOf(q);
  const dq: Tensor3D[] = [first];
  let dk: Tensor3D | null = null;
  let dv: Tensor3D | null = null;
  for (const chunk of chunksOf(q, size)) {
    const [ofQueries, ofKeys, ofValues] = tidy(() => {
      const { weights, kept, factors } = weightsOf(q, k, chunk, dropout); // [B,size,end]
      const d = rowsOf(all, chunk); // [B,size,D]
      const dKept = matMul<Tensor3D>(d, turned(upTo(v, chunk))); // [B,size,D] x [B,D,end] -> [B,size,end]
      const weighed = mul<Tensor3D>(weights, factors === null ? dKept : mul(dKept, factors));
      const scores = sub<Tensor3D>(weighed, mul(weights, sum(weighed, 2, true))); // [B,size,end]
      const padded = (x: Tensor3D) => pad(x, [[0, 0], [0, k.shape[1] - chunk.end], [0, 0]]); // biome-ignore format: [B,end,D] -> [B,places-1,D]
      return [
        matMul(scores, upTo(k, chunk)), // [B,size,end] x [B,end,D] -> [B,size,D]
        padded(matMul(turned(scores), rowsOf(q, chunk))), // [B,end,size] x [B,size,D] -> [B,end,D]
        padded(matMul(turned(kept), d)),
      ] as [Tensor3D, Tensor3D, Tensor3D];
    });
    dq.push(ofQueries);
    dk = sumWith(dk, ofKeys);
    dv = sumWith(dv, ofValues);
  }
  const of = (parts: Tensor3D[]) => joined(parts, shape, heads);
  return [
    mul(of(dq), scaleOf(q)),
    of([dk as unknown as Tensor3D, first]),
    of([dv as unknown as Tensor3D, first]),
  ];
}

/** The sum of terms, which are disposed. */
function sumWith(total: Tensor3D | null, term: Tensor3D): Tensor3D {
  if (total === null) return term;
  const y = add<Tensor3D>(total, term);
  total.dispose();
  term.dispose();
  return y;
}

/** A range of queries that are computed together; they see no key from `end` on. */
interface Chunk {
  readonly start: number;
  readonly end: number;
}

function chunksOf({ shape: [, queries] }: Tensor3D, size: number): Chunk[] {
  return Array.from({ length: Math.ceil(queries / size) }, (_, i) => ({
    start: i * size,
    end: Math.min(queries, (i + 1) * size),
  }));
}

/**
 * The softmax of the scores of a chunk's queries over the keys before them, [B,size,end], and the weights that dropout
 * keeps.
 */
function weightsOf(q: Tensor3D, k: Tensor3D, chunk: Chunk, dropout: AttentionDropout | null) {
  const { start, end } = chunk;
  const scores = matMul<Tensor3D>(rowsOf(q, chunk), turned(upTo(k, chunk))); // [B,size,D] x [B,D,end] -> [B,size,end]
  const queries = reshape(range(start, end), [-1, 1]); // [size,1]
  const isSeen = cast(lessEqual(range(0, end), queries), 'float32'); // [end], [size,1] -> [size,end]
  const hidden = mul<Tensor2D>(sub(1, isSeen), HIDDEN);
  const weights = softmax<Tensor3D>(add<Tensor3D>(mul(scores, isSeen), hidden)); // [B,size,end]
  if (dropout === null) return { weights, kept: weights, factors: null };
  const factors = factorsOf(q.shape[0], chunk, dropout);
  return { weights, kept: mul<Tensor3D>(weights, factors), factors };
}

/** 0 where a weight is dropped, 1 / (1 - rate) where it is not: [B,size,end]. Each query has its own noise. */
function factorsOf(batch: number, { start, end }: Chunk, { rate, seed }: AttentionDropout): Tensor3D {
  const size = end - start;
  const factors = new Float32Array(batch * size * end);
  for (let query = 0; query < size; query++) {
    const uniform = uniformsOf(`${seed}/${start + query}`);
    for (let b = 0; b < batch; b++) {
      const row = (b * size + query) * end;
      for (let key = 0; key <= start + query; key++)
        factors[row + key] = uniform() < rate ? 0 : 1 / (1 - rate);
    }
  }
  return tensor3d(factors, [batch, size, end]);
}

/**
 * The heads of all three, without the first place's query, which sees nothing, and without the last place's key, which
 * nothing sees.
 */
function split({ queries, keys, values }: Inputs, heads: number): Split {
  const [q, k, v] = [queries, keys, values].map((x) => headsOf(x, heads)) as [Tensor3D, Tensor3D, Tensor3D];
  const [batch, places, size] = q.shape;
  const before = (x: Tensor3D) => slice(x, [0, 0, 0], [batch, places - 1, size]); // [B,places-1,D]
  return { q: mul(afterFirst(q), scaleOf(q)), k: before(k), v: before(v) };
}

/** Whether no place of any image has an earlier one, so that all outputs and gradients are zeros. */
const hasNoEarlier = ({ shape: [n, h, w] }: Tensor4D) => n === 0 || h * w <= 1;

/** [B,places,D] -> [B,places-1,D] */
const afterFirst = (x: Tensor3D): Tensor3D => slice(x, [0, 1, 0], [x.shape[0], x.shape[1] - 1, x.shape[2]]);

const scaleOf = ({ shape: [, , size] }: Tensor3D) => 1 / Math.sqrt(size);

/** [N,H,W,U] -> [N*heads,H*W,U/heads] */
function headsOf(x: Tensor4D, heads: number): Tensor3D {
  const [n, h, w, units] = x.shape;
  const apart = reshape(x, [n, h * w, heads, units / heads]);
  return reshape(transpose(apart, [0, 2, 1, 3]), [n * heads, h * w, units / heads]); // [N,heads,H*W,D] -> [N*heads,H*W,D]
}

/** The inverse, for consecutive places. */
function joined(parts: Tensor3D[], [n, h, w, units]: Tensor4D['shape'], heads: number): Tensor4D {
  const whole = reshape(concat(parts, 1), [n, heads, h * w, units / heads]);
  return reshape(transpose(whole, [0, 2, 1, 3]), [n, h, w, units]); // [N,H*W,heads,D] -> [N,H,W,U]
}

/** Zeros for one place, [B,1,D]. */
const firstOf = ({ shape: [batch, , size] }: Tensor3D) => zeros<Rank.R3>([batch, 1, size]);

/** [B,places,D] -> [B,size,D] */
const rowsOf = (x: Tensor3D, { start, end }: Chunk): Tensor3D =>
  slice(x, [0, start, 0], [x.shape[0], end - start, x.shape[2]]);

/** [B,places,D] -> [B,end,D] */
const upTo = (x: Tensor3D, { end }: Chunk): Tensor3D => rowsOf(x, { start: 0, end });

/** Transposes first, since a product with a transposed matrix is several times slower on wasm. */
const turned = (x: Tensor3D): Tensor3D => transpose(x, [0, 2, 1]);

const wasmForward = wasmKernel<Inputs, Attributes, [y: Tensor4D, logSums: Tensor3D]>(
  'PixelCNNCausalAttention',
  (kernels, { queries, keys, values }, { heads }) => {
    const [n, places, , size] = sizesOf(queries, heads);
    return filled(
      [queries.shape, [n, heads, places]],
      kernels.attentionScratch(places, size) >>> 0,
      ([y, logSums], scratch) =>
        kernels.attention(y, logSums, address(queries), address(keys), address(values), ...sizesOf(queries, heads), scratch), // biome-ignore format: one call
    );
  },
);

/** All gradients at once: each needs the weights. */
const wasmGradients = wasmKernel<
  { readonly [Name in keyof Saved]-?: NonNullable<Saved[Name]> } & { readonly dy: Tensor4D },
  Attributes,
  [dq: Tensor4D, dk: Tensor4D, dv: Tensor4D]
>('PixelCNNCausalAttentionGradient', (kernels, { dy, queries, keys, values, y, logSums }, { heads }) => {
  const { shape } = queries;
  const [, places, , size] = sizesOf(queries, heads);
  return filled(
    [shape, shape, shape],
    kernels.attentionBackScratch(places, size) >>> 0,
    ([dq, dk, dv], scratch) => {
      const given = [dy, queries, keys, values, y, logSums].map(address) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      kernels.attentionBack(dq, dk, dv, ...given, ...sizesOf(queries, heads), scratch);
    },
  );
});

/** Images, places in each, heads, features of each, and the factor of scores. */
function sizesOf({ shape: [n, h, w, units] }: Tensor4D, heads: number) {
  const size = units / heads;
  return [n, h * w, heads, size, 1 / Math.sqrt(size)] as const;
}

const operation = defineOperation<Inputs, Attributes, Saved, Tensor4D>({
  name: 'attention',
  composed,
  wasmImplementation: {
    supports: ({ queries, keys, values }, { dropout }) =>
      dropout === null && [queries, keys, values].every(({ dtype }) => dtype === 'float32'),
    forward(inputs, attributes) {
      const [y, logSums] = wasmForward(inputs, attributes);
      return { y, saved: { ...inputs, y, logSums } };
    },
    gradients(dy, saved, attributes) {
      const { y, logSums } = saved;
      // Our own kernels have been switched on in the meantime.
      if (y === undefined || logSums === undefined) return composed.gradients(dy, saved, attributes);
      const [dq, dk, dv] = wasmGradients({ ...saved, dy, y, logSums }, attributes);
      return { queries: () => dq, keys: () => dk, values: () => dv };
    },
  },
});
