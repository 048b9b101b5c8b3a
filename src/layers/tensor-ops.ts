import * as tf from '@tensorflow/tfjs-core';
import { checkFeatures, checkMemory, throwTypeError } from '../core/check';
import { positions } from '../core/images';
import { uniformsOf } from '../core/random';
import {
  flipped,
  isSameWindow,
  type KernelWindow,
  maskOf,
  presentColumns,
  seesBelow,
  usedRows,
} from '../core/window';
import { attention } from '../ops/attention';
import { causalConv2d } from '../ops/causal-conv';
import { concatElu } from '../ops/concat-elu';
import { gate } from '../ops/gate';
import { layerNorm } from '../ops/layer-norm';
import { embedLevels, oneHotLevels } from '../ops/levels';
import { normalizedKernel } from '../ops/normalized-kernel';
import { pixelLSTM } from '../ops/pixel-lstm';
import { dilated, everySecond } from '../ops/stride';
import type { Ops } from '../program/operations';
import type { DropoutArgs } from '../program/operations/attend';
import type { GateKind } from '../program/operations/gate';
import type { LSTMPath } from '../program/operations/lstm';
import type {
  NormalizationArgs,
  ScaleAndShift,
  SoftmaxName,
  StandardizeArgs,
} from '../program/operations/normalize';
import { type CombinationName, type PointwiseName, parameterOf } from '../program/operations/pointwise';
import {
  type Kernel,
  kernelShape,
  type LayerWeight,
  type NormalizedKernel,
  partsOf,
} from '../program/weights';
import type { InitialWeights } from './initial-weights';

/** The mask of a kernel on the device. */
interface CausalMask {
  readonly window: KernelWindow;
  /** [causal rows,columns,in,out]; null if nothing is hidden, as for a 1x1 kernel on one channel. */
  readonly values: tf.Tensor4D | null;
}

/**
 * Carries out a layer's operations on tensors: [N,H,W,F], or [N,F] for conditions. To be called within a tidy. Keeps
 * the masks of the layer's kernels, and disposes of them when it is disposed.
 */
export class TensorOps implements Ops<tf.Tensor> {
  private readonly masks = new Map<LayerWeight, CausalMask>();
  /** Whether {@link dropout} is active. */
  isTraining = false;
  /** Collects new initial gains and biases of weight-normed convolutions; null if they are not being initialized. */
  initial: InitialWeights | null = null;
  /** Noise depends on the training step and on the number of earlier dropouts in that step. */
  private step = 0;
  private dropouts = 0;
  /** For dropouts without a seed. */
  private ownSeed?: number;

  conv(
    x: tf.Tensor,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu' = 'linear',
  ): tf.Tensor {
    const isConstantOverPixels = x.rank === 2;
    const [n, featuresIn] = [x.shape[0] as number, x.shape.at(-1) as number];
    const pixels = (isConstantOverPixels ? tf.reshape(x, [n, 1, 1, featuresIn]) : x) as tf.Tensor4D; // [N,in] -> [N,1,1,in]
    const y =
      this.initial !== null && 'gain' in kernel
        ? this.initialize(this.initial, pixels, kernel, bias, window, activation)
        : convolve(pixels, this.causalKernel(kernel, window), bias, window, activation); // [N,H/stride,W/stride,out]
    return isConstantOverPixels ? tf.reshape(y, [n, y.shape[3]]) : y; // [N,1,1,out] -> [N,out]
  }

  /** A convolution whose gain and bias are computed from the batch, and recorded. */
  private initialize(
    initial: InitialWeights,
    x: tf.Tensor4D,
    kernel: NormalizedKernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu',
  ): tf.Tensor4D {
    const unscaled = this.causalKernel(kernel, window, tf.ones([kernel.gain.shape[0] as number]));
    const y = initial.scaled(kernel, bias, convolve(x, unscaled, null, window, 'linear'));
    return activation === 'relu' ? tf.relu(y) : y;
  }

  /** The kernel for the convolution: masked, normalized, and cut to the rows in use, [causal rows,columns,in,out]. */
  private causalKernel(kernel: Kernel, window: KernelWindow, gains?: tf.Tensor1D): tf.Tensor4D {
    const { direction, gain } = partsOf(kernel);
    const { values: mask } = this.prepare(kernel, window);
    const given = kernelTensor(direction); // [rows,columns,in,out]
    const whole = window.transposed ? tf.reverse(given, [0, 1]) : given;
    const [rows, columns, featuresIn, featuresOut] = whole.shape;
    const used = usedRows(plainWindow(window));
    const causal = used === rows ? whole : tf.slice(whole, 0, [used, columns, featuresIn, featuresOut]); // [causal rows,columns,in,out]
    const masked = mask === null ? causal : tf.mul<tf.Tensor4D>(causal, mask);
    return gain === null ? masked : normalizedKernel(masked, gains ?? (gain.read() as tf.Tensor1D));
  }

  /** Makes the mask of a kernel, once, so that no call leaves a new tensor behind. */
  prepare(kernel: Kernel, window: KernelWindow): CausalMask {
    const { direction } = partsOf(kernel);
    const known = this.masks.get(direction);
    if (known !== undefined && isSameWindow(known.window, window)) return known;
    if (known !== undefined)
      throwTypeError(`weight '${direction.name}'`, 'one window for a kernel', 'another');
    const shape = kernelShape(direction);
    const [, columns, featuresIn, featuresOut] = shape;
    const plain = plainWindow(window);
    const rows = usedRows(plain);
    const values = maskOf(plain, featuresIn, featuresOut).subarray(
      0,
      rows * columns * featuresIn * featuresOut,
    );
    const hidesNothing = values.every((value) => value === 1);
    const mask = hidesNothing ? null : tf.keep(tf.tensor4d(values, [rows, columns, featuresIn, featuresOut]));
    const made = { window, values: mask };
    this.masks.set(direction, made);
    return made;
  }

  pointwise(fn: PointwiseName, x: tf.Tensor, parameter?: number): tf.Tensor {
    return functions[fn](x, parameterOf(fn, parameter));
  }

  combine(fn: CombinationName, ...inputs: tf.Tensor[]): tf.Tensor {
    const rank = Math.max(...inputs.map((input) => input.rank));
    const widened = inputs.map((input) => atEveryPixel(input, rank));
    return widened.reduce((a, b) => combinations[fn](a, b));
  }

  concat(...inputs: tf.Tensor[]): tf.Tensor {
    const pixels = inputs.find((input) => input.rank === 4)?.shape;
    const widened = inputs.map((input) => {
      if (pixels === undefined || input.rank === 4) return input;
      const [, height = 0, width = 0] = pixels;
      return tf.tile(atEveryPixel(input, 4), [1, height, width, 1]); // [N,F] -> [N,1,1,F] -> [N,H,W,F]
    });
    return tf.concat(widened, widened[0]?.rank === 5 ? 3 : -1); // of levels, whole channels
  }

  slice(x: tf.Tensor, start: number, size: number): tf.Tensor {
    const before = x.shape.slice(0, -1);
    return tf.slice(x, [...before.map(() => 0), start], [...before, size]); // [N,H,W,F] -> [N,H,W,size]
  }

  shift(x: tf.Tensor, rows: number, columns: number): tf.Tensor {
    const [n, h, w, features] = x.shape as tf.Tensor4D['shape'];
    const [down, right] = [Math.min(rows, h), Math.min(columns, w)];
    const padded = tf.pad(x as tf.Tensor4D, [[0, 0], [down, 0], [right, 0], [0, 0]]); // biome-ignore format: [N,H+rows,W+columns,F], one pair a dimension
    return tf.slice(padded, 0, [n, h, w, features]); // [N,H,W,F]
  }

  enlarge(x: tf.Tensor, rows: number, columns: number): tf.Tensor {
    const [n, h, w, features] = x.shape as tf.Tensor4D['shape'];
    checkMemory('enlarge: images, height, width, features', [n, h * rows, w * columns, features]);
    const repeat = (of: tf.Tensor, times: number, axis: number) =>
      tf.concat(new Array<tf.Tensor>(times).fill(of), axis);
    const wide = tf.reshape(repeat(x, columns, 3), [n, h, w * columns, features]); // [N,H,W,columns*F] -> [N,H,columns*W,F]
    return tf.reshape(repeat(wide, rows, 2), [n, h * rows, w * columns, features]); // [N,H,rows*columns*W,F] -> [N,rows*H,columns*W,F]
  }

  position(x: tf.Tensor): tf.Tensor {
    const [n, h, w] = x.shape as tf.Tensor4D['shape'];
    return tf.tile(tf.tensor4d(positions(h, w), [1, h, w, 2]), [n, 1, 1, 1]); // [1,H,W,2] -> [N,H,W,2]
  }

  concatElu(x: tf.Tensor): tf.Tensor {
    return concatElu(x); // [N,H,W,F] -> [N,H,W,2F]
  }

  gate(x: tf.Tensor, groups: number, condition?: tf.Tensor, kind?: GateKind): tf.Tensor {
    const isConstantOverPixels = x.rank === 2;
    if (isConstantOverPixels && condition !== undefined)
      return this.gate(this.combine('add', x, condition), groups, undefined, kind);
    const [n, features] = [x.shape[0] as number, x.shape.at(-1) as number];
    checkFeatures('gate: input', features, 2 * groups, '2 * groups');
    if (isConstantOverPixels) {
      const y = gate(tf.reshape(x, [n, 1, 1, features]), groups, null, kind); // [N,2F] -> [N,1,1,2F] -> [N,1,1,F]
      return tf.reshape(y, [n, features / 2]); // [N,1,1,F] -> [N,F]
    }
    if (condition?.rank === 4) return gate(tf.add<tf.Tensor4D>(x, condition), groups, null, kind); // [N,H,W,2F] -> [N,H,W,F]
    return gate(x as tf.Tensor4D, groups, condition as tf.Tensor2D | undefined, kind); // [N,H,W,2F] -> [N,H,W,F]
  }

  softmax(fn: SoftmaxName, x: tf.Tensor, groups: number): tf.Tensor {
    const features = x.shape.slice(x.rank === 2 ? 1 : 3).reduce((product, length) => product * length, 1);
    checkFeatures(`${fn}: input`, features, groups, 'groups');
    const flat = tf.reshape(x, [-1, features / groups]); // [N,H,W,F] -> [N*H*W*groups,F/groups]
    return tf.reshape(fn === 'softmax' ? tf.softmax(flat) : tf.logSoftmax(flat), x.shape); // and back
  }

  affine(x: tf.Tensor, { scale, shift }: ScaleAndShift): tf.Tensor {
    return scaled(x, scale, shift);
  }

  standardize(x: tf.Tensor, { mean, variance, epsilon, scale, shift }: StandardizeArgs): tf.Tensor {
    const factor = tf.rsqrt(tf.add(tensorOf(variance), epsilon)); // [F]
    return scaled(tf.mul(tf.sub(x, tensorOf(mean)), factor), scale, shift);
  }

  normalize(x: tf.Tensor, { epsilon, groups = 1, scale, shift }: NormalizationArgs): tf.Tensor {
    const [n, features] = [x.shape[0] as number, x.shape.at(-1) as number];
    checkFeatures('normalize: input', features, groups, 'groups');
    const pixels: tf.Tensor4D = x.rank === 2 ? tf.reshape(x, [n, 1, 1, features]) : (x as tf.Tensor4D); // [N,F] -> [N,1,1,F]
    const weights = { scale: vectorOf(scale), shift: vectorOf(shift) };
    return tf.reshape(layerNorm({ x: pixels, ...weights }, { groups, epsilon }), x.shape);
  }

  oneHot(x: tf.Tensor, size: number): tf.Tensor {
    return tf.cast(tf.equal(tf.cast(x, 'int32'), tf.range(0, size, 1, 'int32')), 'float32'); // [N,1], [size] -> [N,size]
  }

  oneHotLevels(x: tf.Tensor, levels: number): tf.Tensor {
    return oneHotLevels(x, levels); // [N,H,W,C] -> [N,H,W,C*L]
  }

  embedLevels(x: tf.Tensor, table: LayerWeight): tf.Tensor {
    return embedLevels(x, tensorOf(table) as tf.Tensor2D); // [N,H,W,C] -> [N,H,W,C*U]
  }

  attend(
    queries: tf.Tensor,
    keys: tf.Tensor,
    values: tf.Tensor,
    heads: number,
    dropout?: DropoutArgs,
  ): tf.Tensor {
    const inputs = { queries, keys, values } as Record<'queries' | 'keys' | 'values', tf.Tensor4D>;
    const { rate = 0, seed } = dropout ?? {};
    const drops = this.isTraining && rate > 0;
    return attention(inputs, heads, drops ? { rate, seed: this.noiseSeed(seed) } : null); // [N,H,W,U]
  }

  lstm(x: tf.Tensor, kernel: LayerWeight, path: LSTMPath, groups: number): tf.Tensor {
    return pixelLSTM(x as tf.Tensor4D, kernelTensor(kernel), path, groups); // [N,H,W,4F] -> [N,H,W,F]
  }

  dropout(x: tf.Tensor, { rate, seed }: DropoutArgs): tf.Tensor {
    if (!this.isTraining || rate === 0) return x;
    const uniform = uniformsOf(this.noiseSeed(seed));
    const factors = Float32Array.from({ length: x.size }, () => (uniform() < rate ? 0 : 1 / (1 - rate)));
    return tf.mul(x, tf.tensor(factors, x.shape));
  }

  /** The seed of the next noise. */
  private noiseSeed(seed: number | undefined): string {
    this.ownSeed ??= Math.random();
    return `${seed ?? this.ownSeed}/${this.step}/${this.dropouts++}`;
  }

  /** Sets the training step, on which noise depends. */
  setStep(step: number): void {
    this.step = step;
    this.dropouts = 0;
  }

  perChannel(x: tf.Tensor, channels: number, levels: number): tf.Tensor {
    return tf.reshape(x, [...x.shape.slice(0, -1), channels, levels]); // [N,H,W,C*L] -> [N,H,W,C,L]
  }

  /** Releases all memory. */
  dispose(): void {
    for (const { values } of this.masks.values()) values?.dispose();
    this.masks.clear();
  }
}

/** [N,H,W,in] -> [N,H,W,out], or another height and width if the window has a stride. */
function convolve(
  x: tf.Tensor4D,
  causalKernel: tf.Tensor4D,
  bias: LayerWeight | null,
  window: KernelWindow,
  activation: 'linear' | 'relu',
): tf.Tensor4D {
  const { stride, transposed } = window;
  const pixels = transposed && stride > 1 ? dilated(x) : x; // [N,H,W,in] -> [N,2H,2W,in]
  const plain = plainWindow(window);
  const biases = bias === null ? null : (bias.read() as tf.Tensor1D);
  const conv = (of: tf.Tensor4D) =>
    causalConv2d(of, causalKernel, biases, activation, plain.anchor[1], presentColumns(plain));
  if (seesBelow(window)) {
    const below = window.kernelSize[0] - 1 - window.anchor[0];
    const [n, h, w] = x.shape;
    const padded = tf.pad(x, [[0, 0], [0, below], [0, 0], [0, 0]]); // biome-ignore format: [N,H+below,W,in], one pair a dimension
    return tf.slice(conv(padded), [0, below, 0, 0], [n, h, w, causalKernel.shape[3]]); // [N,H+below,W,in] -> [N,H,W,out]
  }
  const y = conv(pixels); // [N,H,W,out]
  return stride > 1 && !transposed ? everySecond(y) : y; // [N,H,W,out] -> [N,H/2,W/2,out]
}

/** The functions by name, as tfjs-layers computes them. */
const functions: Readonly<Record<PointwiseName, (x: tf.Tensor, parameter: number) => tf.Tensor>> = {
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  elu: (x, alpha) => (alpha === 1 ? tf.elu(x) : tf.add(tf.relu(x), tf.mul(alpha, tf.elu(tf.minimum(x, 0))))),
  selu: (x) => tf.selu(x),
  leakyRelu: (x, alpha) => tf.leakyRelu(x, alpha),
  thresholdedRelu: (x, theta) => tf.mul(x, tf.step(tf.sub(x, theta))),
  clippedRelu: (x, most) => tf.clipByValue(x, 0, most),
  hardSigmoid: (x) => tf.clipByValue(tf.add(tf.mul(0.2, x), 0.5), 0, 1),
  softplus: (x) => tf.softplus(x),
  softsign: (x) => tf.div(x, tf.add(tf.abs(x), 1)),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  gelu: (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2))))),
  geluNew: (x) =>
    tf.mul(
      tf.mul(0.5, x),
      tf.add(
        1,
        tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))))),
      ),
    ),
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  scale: (x, factor) => tf.mul(x, factor),
  shift: (x, term) => tf.add(x, term),
};

const combinations: Readonly<Record<CombinationName, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor>> = {
  add: (a, b) => tf.add(a, b),
  multiply: (a, b) => tf.mul(a, b),
  maximum: (a, b) => tf.maximum(a, b),
  minimum: (a, b) => tf.minimum(a, b),
};

/** Prepares features that are the same at every pixel for sums with those that are not: [N,F] -> [N,1,1,F]. */
function atEveryPixel(x: tf.Tensor, rank: number): tf.Tensor {
  if (x.rank === rank) return x;
  const [n, features] = x.shape as [number, number];
  return tf.reshape(x, [n, 1, 1, features]);
}

const tensorOf = (weight: LayerWeight) => weight.read() as tf.Tensor;

const vectorOf = (weight: LayerWeight | undefined) => weight && (tensorOf(weight) as tf.Tensor1D);

function scaled(x: tf.Tensor, scale: LayerWeight | undefined, shift: LayerWeight | undefined): tf.Tensor {
  const y = scale === undefined ? x : tf.mul(x, tensorOf(scale));
  return shift === undefined ? y : tf.add(y, tensorOf(shift));
}

function kernelTensor(kernel: LayerWeight): tf.Tensor4D {
  const given = tensorOf(kernel);
  return given.rank === 4 ? (given as tf.Tensor4D) : tf.reshape(given, kernelShape(kernel)); // [in,out] -> [1,1,in,out]
}

/** The window at stride 1 that a convolution reduces to. */
const plainWindow = (window: KernelWindow) => (window.transposed ? flipped(window) : window);
