import * as tf from '@tensorflow/tfjs-core';
import { LSTM, LSTM_BACK } from '../runtime/kernels/modules';
import type { LSTMPath } from '../runtime/program/operations/lstm';
import { type Convolution, causalConv2d, composedConv, wasmConv } from './causal-conv';
import { computed, defineOperation } from './operation';
import { outputs, wasmKernel } from './wasm-kernels';

type Inputs = Readonly<Record<'z' | 'kernel', tf.Tensor4D>>;

interface Attributes {
  readonly path: LSTMPath;
  readonly imageChannels: number; // the number of groups of features
}

/** The tensors that gradients need. */
interface Saved extends Pick<Inputs, 'kernel'> {
  readonly states: tf.Tensor4D; // h, [N,H,W,F]
  readonly gates: tf.Tensor4D; // o, f, i and g, activated, [N,H,W,4F]
  readonly cells: tf.Tensor4D; // c, [N,H,W,F]
}

/**
 * The LSTM of PixelRNN over the pixels of images, one line at a time: rows, downwards, as in {@link RowLSTMBlock}, or
 * diagonals, from either side, as in {@link DiagonalBiLSTMBlock}. The 4F features are o, f, i and g of each group.
 *
 * The gradient is propagated back through the lines explicitly, from gates and cells: 6F saved numbers for each pixel.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, sections 3.1 and
 * 3.2, equation 3.
 *
 * @param z the input's contribution to the gates, [N,H,W,4F]
 * @param kernel [1,k,F,4F], k odd, for 'rows'; otherwise [2,1,F,4F], for the pixel above and the one beside it
 * @returns h [N,H,W,F]
 */
export const pixelLSTM = (z: tf.Tensor4D, kernel: tf.Tensor4D, path: LSTMPath, imageChannels: number) =>
  operation({ z, kernel }, { path, imageChannels });

// Operations of tfjs work on lines [N,T,P,..]: T lines of P places each. Tensors are [features,N*P] for each step and
// [T,features,N*P] for all steps. This keeps gates and lines contiguous, which wasm can slice and join many times
// faster. A convolution needs features last, but transposing is cheap.

function forward({ z: given, kernel: whole }: Inputs, { path, imageChannels }: Attributes) {
  const z = linesAlong(path, given); // [N,H,W,4F] -> [N,T,P,4F]
  const lines = apart(exchanged(linesOf(z), imageChannels, 4)); // T of [4F,N*P]
  const kernel = kernelByGate(alongLine(whole), imageChannels); // [1,k,F,4F]
  const steps: Step[] = [];
  for (const line of lines) {
    const before = steps.at(-1);
    steps.push(tf.tidy(() => stepFrom(before, line, kernel, z.shape, path)));
  }
  const all = (name: keyof Step) => joined(steps.map((step) => step[name])); // T of [..,N*P] -> [T,..,N*P]
  const images = (x: tf.Tensor3D) => imagesAlong(path, imagesOf(x, z.shape), given.shape[2]); // [N,T,P,..] -> [N,H,W,..]
  const states = images(all('states')); // [N,H,W,F]
  const gates = images(exchanged(all('gates'), 4, imageChannels)); // [N,H,W,4F]
  return { y: states, saved: { kernel: whole, states, gates, cells: images(all('cells')) } };
}

/** The results of one line: gates [4F,N*P], the others [F,N*P]. */
type Step = Readonly<Record<'gates' | 'cells' | 'states', tf.Tensor2D>>;

function stepFrom(
  before: Step | undefined,
  line: tf.Tensor2D,
  kernel: tf.Tensor4D,
  shape: tf.Tensor4D['shape'],
  path: LSTMPath,
): Step {
  const z =
    before === undefined
      ? line
      : tf.add<tf.Tensor2D>(line, convolved(before.states, kernel, tapsBefore(path, kernel), shape)); // [4F,N*P]
  const features = kernel.shape[2];
  const [ofSigmoids, ofTanh] = tf.split(z, [3 * features, features], 0) as [tf.Tensor2D, tf.Tensor2D]; // [3F,N*P], [F,N*P]
  const [sigmoids, candidates] = [tf.sigmoid(ofSigmoids), tf.tanh(ofTanh)];
  const [o, f, i] = tf.split(sigmoids, 3, 0) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]; // [F,N*P] each
  const fresh = tf.mul<tf.Tensor2D>(i, candidates);
  const cells = before === undefined ? fresh : tf.add<tf.Tensor2D>(tf.mul(f, before.cells), fresh);
  const gates = tf.concat([sigmoids, candidates], 0); // [3F,N*P], [F,N*P] -> [4F,N*P]
  return { gates, cells, states: tf.mul(o, tf.tanh(cells)) };
}

/** Both gradients at once, for z [N,H,W,4F] and for the kernel, since each needs all steps. */
function gradients(dy: tf.Tensor4D, { kernel: whole, ...saved }: Saved, { path, imageChannels }: Attributes) {
  const slope = linesAlong(path, dy); // [N,H,W,F] -> [N,T,P,F]
  const gates = linesAlong(path, saved.gates); // [N,H,W,4F] -> [N,T,P,4F]
  const kernel = kernelByGate(alongLine(whole), imageChannels); // [1,k,F,4F]
  const left = tapsBefore(path, kernel);
  const columns = kernel.shape[1];
  const flipped = tf.transpose(tf.reverse(kernel, 1), [0, 1, 3, 2]) as tf.Tensor4D; // [1,k,F,4F] -> [1,k,4F,F]
  const parts = tf.split(exchanged(linesOf(gates), imageChannels, 4), 4, 1);
  const [o, f, i, g] = parts as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]; // [T,F,N*P] each
  const cells = linesOf(linesAlong(path, saved.cells)); // [N,H,W,F] -> [N,T,P,F] -> [T,F,N*P]
  const padded = tf.pad(cells, [[1, 0], [0, 0], [0, 0]]); // biome-ignore format: [T+1,F,N*P], one pair a dimension
  const cellsBefore = tf.slice(padded, 0, cells.shape); // of the line before; zeros for the first: [T,F,N*P]
  const t = tf.tanh(cells);
  const ofCell = tf.mul<tf.Tensor3D>(o, slopeOfTanh(t)); // the derivative of h for c
  const each = [
    tf.mul<tf.Tensor3D>(t, slopeOfSigmoid(o)), // the derivatives of h for o, and of c for f, i and g, all before their activations
    tf.mul<tf.Tensor3D>(cellsBefore, slopeOfSigmoid(f)),
    tf.mul<tf.Tensor3D>(g, slopeOfSigmoid(i)),
    tf.mul<tf.Tensor3D>(i, slopeOfTanh(g)),
  ];
  const ofGates = tf.concat(each, 1); // [T,4F,N*P]

  const dh = apart(linesOf(slope)); // T of [F,N*P]
  const [ofCells, ofAll, forgets] = [apart(ofCell), apart(ofGates), apart(f)]; // each T of [..,N*P]
  const slopes: tf.Tensor2D[] = [];
  let carried: tf.Tensor2D | undefined; // the gradient of c from the line after
  for (let line = dh.length - 1; line >= 0; line--) {
    const after = slopes[0];
    const { dz, next } = tf.tidy(() => {
      const own = dh[line] as tf.Tensor2D;
      const back = () => convolved(after as tf.Tensor2D, flipped, columns - 1 - left, slope.shape); // [4F,N*P] -> [F,N*P]
      const all = after === undefined ? own : tf.add<tf.Tensor2D>(own, back());
      const through = tf.mul<tf.Tensor2D>(all, ofCells[line] as tf.Tensor2D);
      const dc = carried === undefined ? through : tf.add<tf.Tensor2D>(through, carried);
      const each = tf.concat([all, dc, dc, dc], 0); // [4F,N*P]
      return {
        dz: tf.mul<tf.Tensor2D>(each, ofAll[line] as tf.Tensor2D),
        next: tf.mul<tf.Tensor2D>(dc, forgets[line] as tf.Tensor2D),
      };
    });
    carried?.dispose();
    carried = next;
    slopes.unshift(dz);
  }
  const all = joined(slopes); // T of [4F,N*P] -> [T,4F,N*P]
  const lines = imagesOf(exchanged(all, 4, imageChannels), slope.shape); // [N,T,P,4F]
  const dz = imagesAlong(path, lines, dy.shape[2]); // [N,T,P,4F] -> [N,H,W,4F]
  return { z: dz, kernel: ofKernel(composedConv, dz, { kernel: whole, ...saved }, path) };
}

/**
 * The gradient for the kernel, from that for z [N,H,W,4F]. The kernel's taps are also those of convolutions over the
 * image of states: of the row above, and for diagonals, of the row itself, on one side of the pixel.
 */
function ofKernel(
  { gradients }: Convolution,
  dz: tf.Tensor4D,
  { kernel: { shape }, states: x }: Pick<Saved, 'kernel' | 'states'>,
  path: LSTMPath,
): tf.Tensor4D {
  const [, count, ...features] = shape;
  /** For `count` taps of the first row, from the column `from` on: [1,count,F,4F]. */
  const ofTaps = (rows: number, columns: number, left: number, presentColumns: number, from = 0) => {
    const kernel = tf.zeros<tf.Rank.R4>([rows, columns, ...features]); // only its shape matters
    const attributes = { activation: 'linear', left, presentColumns, dilation: [1, 1], groups: 1 } as const;
    const of = gradients(dz, { x, kernel, y: undefined }, attributes);
    const gradient = computed(of.kernel as tf.Tensor) as tf.Tensor4D;
    return tf.slice(gradient, [0, from, 0, 0], [1, count, ...features]);
  };
  const above = ofTaps(2, count, count >> 1, 0);
  if (path === 'rows') return above;
  const beside = path === 'fromLeft' ? ofTaps(1, 2, 1, 1) : ofTaps(1, 2, 0, 2, 1);
  return tf.concat([above, beside], 0); // [2,1,F,4F]
}

const slopeOfSigmoid = (y: tf.Tensor3D): tf.Tensor3D => tf.mul(y, tf.sub(1, y));

const slopeOfTanh = (y: tf.Tensor3D): tf.Tensor3D => tf.sub(1, tf.square(y));

/** A convolution along a line, [features,N*P] -> [out,N*P], of lines of N images [N,T,P,..]. */
function convolved(
  line: tf.Tensor2D,
  kernel: tf.Tensor4D,
  left: number,
  [n, , places]: tf.Tensor4D['shape'],
): tf.Tensor2D {
  const [, columns, featuresIn, featuresOut] = kernel.shape;
  const x: tf.Tensor4D = tf.reshape(tf.transpose(line), [n, 1, places, featuresIn]); // [features,N*P] -> [N,1,P,features]
  const y = causalConv2d(x, kernel, null, 'linear', left, columns); // [N,1,P,out]
  return tf.transpose(tf.reshape(y, [n * places, featuresOut]) as tf.Tensor2D); // [N*P,out] -> [out,N*P]
}

/** How many taps of a kernel along a line lie before the place itself. */
const tapsBefore = (path: LSTMPath, { shape }: tf.Tensor4D) => (path === 'rows' ? shape[1] >> 1 : 1);

/** A kernel, reshaped to lie along a line: [1,k,F,4F], or [2,1,F,4F] -> [1,2,F,4F]. */
function alongLine(kernel: tf.Tensor4D): tf.Tensor4D {
  const [rows, columns, features, featuresOut] = kernel.shape;
  return tf.reshape<tf.Rank.R4>(kernel, [1, rows * columns, features, featuresOut]);
}

/** The lines of places that an LSTM processes in turn, rows or diagonals: [N,H,W,F] -> [N,T,P,F]. */
const linesAlong = (path: LSTMPath, x: tf.Tensor4D) => (path === 'rows' ? x : skewed(mirrored(path, x)));

/** The inverse of {@link linesAlong}, for images of width w: [N,T,P,F] -> [N,H,W,F]. */
const imagesAlong = (path: LSTMPath, x: tf.Tensor4D, w: number) =>
  path === 'rows' ? x : mirrored(path, straightened(x, w));

/** Mirrors images for diagonals from the right, which are the mirror image's diagonals from the left. */
const mirrored = (path: LSTMPath, x: tf.Tensor4D): tf.Tensor4D =>
  path === 'fromRight' ? tf.reverse(x, 2) : x;

/**
 * Diagonals of images as lines, [N,H,W,F] -> [N,H+W-1,H,F]: place i of line d is column d - i of row i, or
 * zeros if there is no such column. So the pixels above and to the left are places i - 1 and i of the line
 * before (figure 3 of the paper). Padding rows to one place more than the lines shifts row i by i places.
 */
function skewed(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, features] = x.shape;
  const lines = h + w - 1;
  const wide = tf.pad(x, [[0, 0], [0, 0], [0, lines + 1 - w], [0, 0]]); // biome-ignore format: [N,H,H+W,F], one pair a dimension
  const flat = tf.reshape(wide, [n, h * (lines + 1), features]);
  const shifted = tf.slice(flat, 0, [n, h * lines, features]); // [N,H*(H+W),F] -> [N,H*(H+W-1),F]
  return tf.transpose(tf.reshape(shifted, [n, h, lines, features]), [0, 2, 1, 3]); // [N,H,H+W-1,F] -> [N,H+W-1,H,F]
}

/** The inverse of {@link skewed}: [N,H+W-1,H,F] -> [N,H,W,F]. */
function straightened(x: tf.Tensor4D, w: number): tf.Tensor4D {
  const [n, lines, h, features] = x.shape;
  const flat = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [n, h * lines, features]); // [N,H+W-1,H,F] -> [N,H*(H+W-1),F]
  const wide = tf.reshape(tf.pad(flat, [[0, 0], [0, h], [0, 0]]), [n, h, lines + 1, features]); // biome-ignore format: [N,H,H+W,F], one pair a dimension
  return tf.slice(wide as tf.Tensor4D, 0, [n, h, w, features]); // [N,H,W,F]
}

/** [N,T,P,F] -> [T,F,N*P] */
function linesOf(x: tf.Tensor4D): tf.Tensor3D {
  const [n, lines, places, features] = x.shape;
  return tf.reshape(tf.transpose(x, [1, 3, 0, 2]), [lines, features, n * places]); // [T,F,N,P] -> [T,F,N*P]
}

/** The inverse of {@link linesOf}, for a shape [N,T,P,..]. */
function imagesOf(x: tf.Tensor3D, [n, , places]: tf.Tensor4D['shape']): tf.Tensor4D {
  const [lines, features] = x.shape;
  return tf.transpose(tf.reshape(x, [lines, features, n, places]), [2, 0, 3, 1]) as tf.Tensor4D; // [T,F,N,P] -> [N,T,P,F]
}

/** [T,F,N*P] -> T of [F,N*P], in log2 T halvings, since wasm copies a whole tensor to slice it. */
function apart(x: tf.Tensor3D): tf.Tensor2D[] {
  const [lines, features, places] = x.shape;
  if (lines === 1) return [tf.reshape(x, [features, places])]; // [1,F,N*P] -> [F,N*P]
  const half = lines >> 1;
  return tf.tidy(() => (tf.split(x, [half, lines - half], 0) as tf.Tensor3D[]).flatMap(apart));
}

/** T of [F,N*P] -> [T,F,N*P] */
function joined(lines: tf.Tensor2D[]): tf.Tensor3D {
  const [features, places] = (lines[0] as tf.Tensor2D).shape;
  return tf.reshape(tf.concat(lines, 0), [lines.length, features, places]); // [T*F,N*P] -> [T,F,N*P]
}

/** Reorders features [outer,inner,size] -> [inner,outer,size]: from gates of groups to groups of gates, or back. */
function exchanged(x: tf.Tensor3D, outer: number, inner: number): tf.Tensor3D {
  if (outer === 1 || inner === 1) return x;
  const parts = tf.reshape(x, [x.shape[0], outer, inner, -1]); // [T,4F,N*P] -> [T,outer,inner,size*N*P]
  return tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), x.shape); // [T,inner,outer,size*N*P] -> [T,4F,N*P]
}

/** Reorders the outputs of a kernel by gate: [1,k,F,4F]. */
function kernelByGate(kernel: tf.Tensor4D, groups: number): tf.Tensor4D {
  const [, columns, features, featuresOut] = kernel.shape;
  const rows = tf.reshape(kernel, [columns * features, featuresOut, 1]) as tf.Tensor3D; // [1,k,F,4F] -> [k*F,4F,1]
  return tf.reshape(exchanged(rows, groups, 4), kernel.shape); // and back
}

const operation = defineOperation<Inputs, Attributes, Saved, tf.Tensor4D>({
  name: 'pixelLSTM',
  composed: { forward, gradients: (...args) => tf.tidy(() => gradients(...args)) },
  differentiableGradients: (dy, inputs, attributes) =>
    gradients(dy, forward(inputs, attributes).saved, attributes),
});

const wasmForward = /* @__PURE__ */ wasmKernel(
  'PixelCNNLSTM',
  [LSTM],
  (loops, { z, kernel }: Inputs, attributes: Attributes) => {
    const [n, h, w] = z.shape;
    const states = [n, h, w, kernel.shape[2]] as const;
    const sizes = sizesOf(z, kernel, attributes);
    return outputs([states, z.shape, states], loops.lstm, [z, kernel], sizes, loops.lstmScratch);
  },
);

const wasmInputGradient = /* @__PURE__ */ wasmKernel(
  'PixelCNNLSTMInputGradient',
  [LSTM_BACK],
  (loops, { dy, kernel, gates, cells }: Saved & { readonly dy: tf.Tensor4D }, attributes: Attributes) => {
    const sizes = sizesOf(gates, kernel, attributes);
    return outputs([gates.shape], loops.lstmBack, [dy, gates, cells, kernel], sizes, loops.lstmBackScratch);
  },
);

const pathNumbers: Readonly<Record<LSTMPath, number>> = { rows: 0, fromLeft: 1, fromRight: 2 };

function sizesOf(
  { shape: [n, h, w] }: tf.Tensor4D,
  { shape: [rows, columns, features] }: tf.Tensor4D,
  { imageChannels, path }: Attributes,
) {
  return [n, h, w, imageChannels, features / imageChannels, rows * columns, pathNumbers[path]] as const;
}

export function provideLSTMKernels(): void {
  operation.useKernels({
    forward(inputs, attributes) {
      const [states, gates, cells] = wasmForward(inputs, attributes);
      return { y: states, saved: { kernel: inputs.kernel, states, gates, cells } };
    },
    gradients(dy, saved, attributes) {
      const [dz] = wasmInputGradient({ ...saved, dy }, attributes);
      return { z: dz, kernel: () => ofKernel(wasmConv, dz, saved, attributes.path) };
    },
  });
}
