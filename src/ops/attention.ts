import * as tf from '@tensorflow/tfjs-core';
import { checkMemory } from '../runtime/core/check';
import { uniformsOf } from '../runtime/core/random';
import { CAUSAL_ATTENTION, CAUSAL_ATTENTION_BACK } from '../runtime/kernels/modules';
import { defineOperation, type Implementation } from './operation';
import { outputs, wasmKernel } from './wasm-kernels';

type Inputs = Readonly<Record<'queries' | 'keys' | 'values', tf.Tensor4D>>;

interface Attributes {
  readonly heads: number;
  readonly own: boolean; // whether places attend to themselves too
  readonly dropout: Dropout | null;
  readonly chunk: number; // queries that are computed together
}

/** How weights are dropped. */
interface Dropout {
  readonly rate: number; // from 0, below 1
  readonly seed: string;
  /** The number of the first image, on which noise depends. @default 0 */
  readonly firstImage?: number;
}

/** The tensors that gradients need. Those that only our own kernels compute are undefined otherwise. */
interface Saved extends Inputs {
  readonly y: tf.Tensor4D | undefined; // [N,H,W,V]
  readonly logSums: tf.Tensor3D | undefined; // ln of the sum of e^score of each query, [N,heads,H*W]
}

const MAX_WEIGHTS = 2 ** 24; // in a chunk of queries: 64 MiB
const MIN_CHUNKS = 8; // since arithmetic is wasted on keys that the first query of a chunk does not see
const WORTHWHILE = 64; // queries in a chunk, for which the calls are
const HIDDEN = -1e38; // added to a score to hide it; finite in float32 even when another score is subtracted

/**
 * Causal attention: the mean of the values of earlier places, in row order, weighted by softmax(q k / sqrt(U / heads)),
 * separately for each head. Earlier places include the place itself if `own`; if not, the first place gets zeros.
 *
 * There are N * heads * (H * W)^2 weights, so they are computed for a chunk of queries at a time, over the keys that
 * these see, and recomputed for the gradient. Our own kernels process eight queries at a time, without dropout.
 *
 * Source: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763; Vaswani et al., "Attention is all you need"
 * (2017), https://arxiv.org/abs/1706.03762, section 3.2.
 *
 * @param inputs queries and keys [N,H,W,U], values [N,H,W,V]; U and V multiples of `heads`
 * @returns [N,H,W,V]
 */
export function attention(
  inputs: Inputs,
  { heads, own = false, dropout = null, chunk }: Pick<Attributes, 'heads'> & Partial<Attributes>,
): tf.Tensor4D {
  return operation(inputs, { heads, own, dropout, chunk: chunk ?? chunkOf(inputs.queries.shape, heads) });
}

/**
 * How many queries to compute together.
 *
 * @throws TypeError if not even one query fits
 */
export function chunkOf([n, h, w]: tf.Tensor4D['shape'], heads: number): number {
  const places = h * w;
  checkMemory('attend: images, heads, height, width', [n, heads, h, w]);
  const fitting = Math.max(1, Math.floor(MAX_WEIGHTS / (n * heads * places)));
  return Math.min(fitting, Math.max(WORTHWHILE, Math.ceil(places / MIN_CHUNKS)));
}

const composed: Implementation<Inputs, Attributes, Saved, tf.Tensor4D> = {
  forward(inputs, { heads, own, chunk: size, dropout }) {
    const { shape } = inputs.values;
    const saved = { ...inputs, y: undefined, logSums: undefined };
    if (seesNothing(inputs.values, own)) return { y: tf.zeros<tf.Rank.R4>(shape), saved };
    const { q, k, v } = split(inputs, heads, own);
    const parts = chunksOf(q, size).map((chunk) =>
      tf.tidy(() => {
        const { kept } = weightsOf(q, k, chunk, heads, dropout);
        return tf.matMul<tf.Tensor3D>(kept, upTo(v, chunk)); // [B,size,end] x [B,end,D] -> [B,size,D]
      }),
    );
    return { y: joined([...unseen(v, own), ...parts], shape, heads), saved };
  },
  gradients(dy, inputs, attributes) {
    if (!seesNothing(dy, attributes.own)) return tf.tidy(() => gradients(dy, inputs, attributes));
    const { queries, keys, values } = inputs;
    return { queries: tf.zerosLike(queries), keys: tf.zerosLike(keys), values: tf.zerosLike(values) };
  },
};

function gradients(dy: tf.Tensor4D, inputs: Inputs, { heads, own, dropout, chunk: size }: Attributes) {
  const { q, k, v } = split(inputs, heads, own);
  const all = seeing(headsOf(dy, heads), own); // [B,queries,D]
  const dq: tf.Tensor3D[] = [];
  let sums: tf.Tensor3D[] = []; // for keys and values
  for (const chunk of chunksOf(q, size)) {
    const [ofQueries, ...next] = tf.tidy(() => {
      const { weights, kept, factors } = weightsOf(q, k, chunk, heads, dropout); // [B,size,end]
      const d = rowsOf(all, chunk); // [B,size,D]
      const dKept = tf.matMul<tf.Tensor3D>(d, transposed(upTo(v, chunk))); // [B,size,D] x [B,D,end] -> [B,size,end]
      const weighed = tf.mul<tf.Tensor3D>(weights, factors === null ? dKept : tf.mul(dKept, factors));
      const scores = tf.sub<tf.Tensor3D>(weighed, tf.mul(weights, tf.sum(weighed, 2, true))); // [B,size,end]
      const sumWith = (sum: tf.Tensor3D | undefined, x: tf.Tensor3D) => {
        const padded = tf.pad(x, [[0, 0], [0, k.shape[1] - chunk.end], [0, 0]]); // biome-ignore format: [B,end,D] -> [B,queries,D]
        return sum === undefined ? padded : tf.add<tf.Tensor3D>(sum, padded);
      };
      return [
        tf.matMul(scores, upTo(k, chunk)), // [B,size,end] x [B,end,D] -> [B,size,D]
        sumWith(sums[0], tf.matMul(transposed(scores), rowsOf(q, chunk))), // [B,end,size] x [B,size,D] -> [B,end,D]
        sumWith(sums[1], tf.matMul(transposed(kept), d)),
      ] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    });
    dq.push(ofQueries);
    tf.dispose(sums);
    sums = next;
  }
  const [dk, dv] = sums as [tf.Tensor3D, tf.Tensor3D];
  return {
    queries: tf.mul(joined([...unseen(q, own), ...dq], inputs.queries.shape, heads), scaleOf(q)), // [N,H,W,U]
    keys: joined([dk, ...unseen(k, own)], inputs.keys.shape, heads), // [N,H,W,U]
    values: joined([dv, ...unseen(v, own)], inputs.values.shape, heads), // [N,H,W,V]
  };
}

/** A range of queries that are computed together. They see no key from `end` on. */
type Chunk = { readonly start: number; readonly end: number };

function chunksOf({ shape: [, queries] }: tf.Tensor3D, size: number): Chunk[] {
  return Array.from({ length: Math.ceil(queries / size) }, (_, i) => ({
    start: i * size,
    end: Math.min(queries, (i + 1) * size),
  }));
}

/** The softmax of the scores of a chunk's queries over the keys before them, [B,size,end], and what dropout keeps. */
function weightsOf(q: tf.Tensor3D, k: tf.Tensor3D, chunk: Chunk, heads: number, dropout: Dropout | null) {
  const { start, end } = chunk;
  const scores = tf.matMul<tf.Tensor3D>(rowsOf(q, chunk), transposed(upTo(k, chunk))); // [B,size,D] x [B,D,end] -> [B,size,end]
  const queries = tf.reshape(tf.range(start, end), [-1, 1]); // [size,1]
  const isSeen = tf.cast(tf.lessEqual(tf.range(0, end), queries), 'float32'); // [end], [size,1] -> [size,end]
  const hidden = tf.mul<tf.Tensor2D>(tf.sub(1, isSeen), HIDDEN);
  const weights = tf.softmax<tf.Tensor3D>(tf.add<tf.Tensor3D>(tf.mul(scores, isSeen), hidden)); // [B,size,end]
  if (dropout === null) return { weights, kept: weights, factors: null };
  const factors = factorsOf(q.shape[0], chunk, heads, dropout);
  return { weights, kept: tf.mul<tf.Tensor3D>(weights, factors), factors };
}

/** 0 where a weight is dropped, 1 / (1 - rate) where it is not: [B,size,end]. Each query has its own noise. */
function factorsOf(batch: number, { start, end }: Chunk, heads: number, dropout: Dropout) {
  const { rate, seed, firstImage = 0 } = dropout;
  const size = end - start;
  const factors = new Float32Array(batch * size * end);
  for (let b = 0; b < batch; b++) {
    const ofHead = `${seed}/${firstImage * heads + b}`;
    for (let query = start; query < end; query++) {
      const uniform = uniformsOf(`${ofHead}/${query}`);
      const row = (b * size + query - start) * end;
      for (let key = 0; key <= query; key++) factors[row + key] = uniform() < rate ? 0 : 1 / (1 - rate);
    }
  }
  return tf.tensor3d(factors, [batch, size, end]);
}

/**
 * Splits all three into heads, [N*heads,places,D], so that query i sees the keys up to i. Queries are divided by sqrt(D).
 * Unless places see themselves, the first query, which sees nothing, and the last key, which nothing sees, are left out.
 */
function split({ queries, keys, values }: Inputs, heads: number, own: boolean) {
  const q = headsOf(queries, heads);
  const end = q.shape[1] - (own ? 0 : 1);
  const seen = (x: tf.Tensor4D) => upTo(headsOf(x, heads), { end }); // [B,queries,D]
  return { q: tf.mul(seeing(q, own), scaleOf(q)) as tf.Tensor3D, k: seen(keys), v: seen(values) };
}

/** Whether no place of any image sees one, so that all outputs and gradients are zeros. */
const seesNothing = ({ shape: [n, h, w] }: tf.Tensor4D, own: boolean) => n === 0 || h * w <= (own ? 0 : 1);

/** The places that see some place: [B,places,D] -> [B,queries,D]. */
const seeing = (x: tf.Tensor3D, own: boolean): tf.Tensor3D =>
  own ? x : rowsOf(x, { start: 1, end: x.shape[1] });

/** Zeros for the place that {@link split} leaves out, [B,1,D]; nothing if it leaves out none. */
const unseen = ({ shape: [batch, , size] }: tf.Tensor3D, own: boolean): tf.Tensor3D[] =>
  own ? [] : [tf.zeros<tf.Rank.R3>([batch, 1, size])];

const scaleOf = ({ shape: [, , size] }: tf.Tensor3D) => 1 / Math.sqrt(size);

/** [N,H,W,U] -> [N*heads,H*W,U/heads] */
function headsOf(x: tf.Tensor4D, heads: number): tf.Tensor3D {
  const [n, h, w, units] = x.shape;
  const apart = tf.reshape(x, [n, h * w, heads, units / heads]);
  return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [n * heads, h * w, units / heads]); // [N,heads,H*W,D] -> [N*heads,H*W,D]
}

/** The inverse of {@link headsOf}, for parts of consecutive places. */
function joined(parts: tf.Tensor3D[], [n, h, w, units]: tf.Tensor4D['shape'], heads: number): tf.Tensor4D {
  const whole = tf.reshape(tf.concat(parts, 1), [n, heads, h * w, units / heads]);
  return tf.reshape(tf.transpose(whole, [0, 2, 1, 3]), [n, h, w, units]); // [N,H*W,heads,D] -> [N,H,W,U]
}

/** [B,places,D] -> [B,size,D] */
const rowsOf = (x: tf.Tensor3D, { start, end }: Chunk): tf.Tensor3D =>
  tf.slice(x, [0, start, 0], [x.shape[0], end - start, x.shape[2]]);

/** [B,places,D] -> [B,end,D] */
const upTo = (x: tf.Tensor3D, { end }: Pick<Chunk, 'end'>): tf.Tensor3D => rowsOf(x, { start: 0, end });

/** Transposes first, since a product with a transposed matrix is several times slower on wasm. */
const transposed = (x: tf.Tensor3D): tf.Tensor3D => tf.transpose(x, [0, 2, 1]);

const operation = defineOperation({ name: 'attention', composed });

const wasmForward = /* @__PURE__ */ wasmKernel(
  'PixelCNNCausalAttention',
  [CAUSAL_ATTENTION],
  (loops, { queries, keys, values }: Inputs, attributes: Attributes) => {
    const sizes = sizesOf(queries, values, attributes);
    const [n, places, heads] = sizes;
    const shapes = [values.shape, [n, heads, places]] as const;
    return outputs(shapes, loops.attention, [queries, keys, values], sizes, loops.attentionScratch);
  },
);

/** All gradients at once, since each needs the weights. */
const wasmGradients = /* @__PURE__ */ wasmKernel(
  'PixelCNNCausalAttentionGradient',
  [CAUSAL_ATTENTION_BACK],
  (loops, { dy, queries, keys, values, y, logSums }: Saved & { dy: tf.Tensor4D }, attributes: Attributes) => {
    const shapes = [queries.shape, keys.shape, values.shape] as const;
    const given = [dy, queries, keys, values, y, logSums] as const;
    const sizes = sizesOf(queries, values, attributes);
    return outputs(shapes, loops.attentionBack, given, sizes, loops.attentionBackScratch);
  },
);

/** Images, places of an image, heads, features of a head's keys and values, 1 for `own`, and the factor of scores. */
function sizesOf({ shape: [n, h, w, units] }: tf.Tensor4D, values: tf.Tensor4D, { heads, own }: Attributes) {
  const size = units / heads;
  return [n, h * w, heads, size, values.shape[3] / heads, own ? 1 : 0, 1 / Math.sqrt(size)] as const;
}

export function provideAttentionKernels(): void {
  operation.useKernels({
    forward(inputs, attributes) {
      if (attributes.dropout !== null) return composed.forward(inputs, attributes);
      const [y, logSums] = wasmForward(inputs, attributes);
      return { y, saved: { ...inputs, y, logSums } };
    },
    gradients(dy, saved, attributes) {
      // The forward pass had dropout, or our own kernels have been switched on since.
      if (saved.logSums === undefined) return composed.gradients(dy, saved, attributes);
      const [queries, keys, values] = wasmGradients({ ...saved, dy }, attributes);
      return { queries, keys, values };
    },
  });
}
