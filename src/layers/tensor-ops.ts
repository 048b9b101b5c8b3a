import * as tf from '@tensorflow/tfjs-core';
import { attention } from '../ops/attention';
import { causalConv2d, dilated, everySecond } from '../ops/causal-conv';
import { concatElu } from '../ops/concat-elu';
import { depthwiseConv2d } from '../ops/depthwise-conv';
import { gate } from '../ops/gate';
import { layerNorm } from '../ops/layer-norm';
import { embedLevels, oneHotLevels } from '../ops/levels';
import { normalizedKernel } from '../ops/normalized-kernel';
import { pixelLSTM } from '../ops/pixel-lstm';
import { checkFeatures, checkMemory, throwTypeError } from '../runtime/core/check';
import { positions } from '../runtime/core/images';
import { streamsOf } from '../runtime/core/random';
import * as windows from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import { type PointwiseName, parameterOf } from '../runtime/program/operations/pointwise';
import { type Kernel, kernelShape, type LayerWeight, partsOf } from '../runtime/program/weights';
import type { InitialWeights } from './initial-weights';

/** The mask of a kernel on the device. */
interface CausalMask {
  readonly window: windows.KernelWindow;
  /** [causal rows,columns,in,out]; null if nothing is hidden, as for a 1x1 kernel on one channel. */
  readonly values: tf.Tensor4D | null;
}

/** The operations that need no state. */
const stateless: Omit<Ops<tf.Tensor>, 'conv' | 'attend' | 'dropout'> = {
  pointwise: (fn, x, parameter) => functions[fn](x, parameterOf(fn, parameter)),
  combine(fn, ...inputs) {
    const isOfPixels = inputs.some(({ rank }) => rank > 2);
    return (isOfPixels ? inputs.map(atPixels) : inputs).reduce((a, b) => combinations[fn](a, b));
  },
  concat(...inputs) {
    const [, height = 0, width = 0] = inputs.find(({ rank }) => rank === 4)?.shape ?? [];
    const widened = inputs.map((input) => {
      const isRepeated = height > 0 && input.rank === 2;
      return isRepeated ? tf.tile(atPixels(input), [1, height, width, 1]) : input; // [N,F] -> [N,H,W,F]
    });
    return tf.concat(widened, widened[0]?.rank === 5 ? 3 : -1); // of levels, whole channels
  },
  slice(x, start, size) {
    const before = x.shape.slice(0, -1);
    return tf.slice(x, [...before.map(() => 0), start], [...before, size]); // [N,H,W,F] -> [N,H,W,size]
  },
  shift(x, rows, columns) {
    const [, h, w] = x.shape as tf.Tensor4D['shape'];
    const [down, right] = [Math.min(rows, h), Math.min(columns, w)];
    const padded = tf.pad(x as tf.Tensor4D, [[0, 0], [down, 0], [right, 0], [0, 0]]); // biome-ignore format: [N,H+rows,W+columns,F], one pair a dimension
    return tf.slice(padded, 0, x.shape); // [N,H,W,F]
  },
  upsample(x, rows, columns, spread = false) {
    const [n, h, w, features] = atPixels(x).shape as tf.Tensor4D['shape'];
    if (spread) {
      const each =
        checkFeatures('upsample: input', features, rows * columns, 'rows * columns') / rows / columns;
      const apart = tf.reshape(x, [n * h, w, rows, columns * each]); // of [N,h,w,rows*columns*F]
      return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [n, h * rows, w * columns, each]); // [N*h,rows,w,columns*F] -> [N,rows*h,columns*w,F]
    }
    checkMemory('upsample: images, height, width, features', [n, h * rows, w * columns, features]);
    const repeat = (of: tf.Tensor, times: number, axis: number) =>
      tf.concat(new Array<tf.Tensor>(times).fill(of), axis);
    const wide = tf.reshape(repeat(x, columns, 3), [n, h, w * columns, features]); // [N,H,W,columns*F] -> [N,H,columns*W,F]
    return tf.reshape(repeat(wide, rows, 2), [n, h * rows, w * columns, features]); // [N,H,rows*columns*W,F] -> [N,rows*H,columns*W,F]
  },
  position(x) {
    const [n, h, w] = x.shape as tf.Tensor4D['shape'];
    return tf.tile(tf.tensor4d(positions(h, w), [1, h, w, 2]), [n, 1, 1, 1]); // [1,H,W,2] -> [N,H,W,2]
  },
  concatElu,
  gate(x, groups, condition, kind) {
    const isVector = x.rank === 4 && condition?.rank === 2; // the gate itself adds it to all pixels
    const sum = condition === undefined || isVector ? x : stateless.combine('add', x, condition); // [..,2F]
    checkFeatures('gate: input', sum.shape.at(-1), 2 * groups, '2 * groups'); // kernels rely on it
    const y = gate(atPixels(sum), groups, isVector ? (condition as tf.Tensor2D) : null, kind); // [N,H,W,2F] -> [N,H,W,F]
    return likePixels(y, sum);
  },
  softmax(fn, x, groups) {
    const features = tf.util.sizeFromShape(x.shape.slice(x.rank === 2 ? 1 : 3));
    checkFeatures(`${fn}: input`, features, groups, 'groups');
    const flat = tf.reshape(x, [-1, features / groups]); // [N,H,W,F] -> [N*H*W*groups,F/groups]
    return tf.reshape(fn === 'softmax' ? tf.softmax(flat) : tf.logSoftmax(flat), x.shape); // and back
  },
  affine(x, { scale, shift }) {
    const y = scale === undefined ? x : tf.mul(x, tensorOf(scale));
    return shift === undefined ? y : tf.add(y, tensorOf(shift));
  },
  standardize(x, { mean, variance, epsilon, ...weights }) {
    const factor = tf.rsqrt(tf.add(tensorOf(variance), epsilon)); // [F]
    return stateless.affine(tf.mul(tf.sub(x, tensorOf(mean)), factor), weights);
  },
  normalize(x, { epsilon, groups = 1, norm = 'layer', scale, shift }) {
    checkFeatures('normalize: input', x.shape.at(-1), groups, 'groups');
    const [gamma, beta] = [scale, shift].map((weight) => weight && tensorOf<tf.Tensor1D>(weight));
    return likePixels(layerNorm({ x: atPixels(x), scale: gamma, shift: beta }, { groups, epsilon, norm }), x);
  },
  oneHot: (x, size) => tf.cast(tf.equal(tf.cast(x, 'int32'), tf.range(0, size, 1, 'int32')), 'float32'), // [N,1], [size] -> [N,size]
  oneHotLevels,
  embedLevels: (x, table) => embedLevels(x, tensorOf(table)), // [N,H,W,C] -> [N,H,W,C*U]
  lstm: (x, kernel, path, groups) => pixelLSTM(x as tf.Tensor4D, kernelTensor(kernel), path, groups), // [N,H,W,4F] -> [N,H,W,F]
  rasterShift(x, start) {
    if (x.size === 0) return x; // tfjs's cpu backend cannot slice it
    const [n, h, w, features] = x.shape as tf.Tensor4D['shape'];
    const first = tf.add(tf.zeros([n, 1, features]), tensorOf(start)); // [F] -> [N,1,F]
    const places = tf.reshape(x, [n, h * w, features]); // [N,H,W,F] -> [N,H*W,F]
    const shifted = tf.slice(tf.concat([first, places], 1), 0, places.shape); // [N,1+H*W,F] -> [N,H*W,F]
    return tf.reshape(shifted, x.shape); // [N,H*W,F] -> [N,H,W,F]
  },
  embedPlaces: (x, table) => tf.add(x, tensorOf(table)), // [N,H,W,F] + [H,W,F] -> [N,H,W,F]
  perChannel: (x, channels, levels) => tf.reshape(x, [...x.shape.slice(0, -1), channels, levels]), // [N,H,W,C*L] -> [N,H,W,C,L]
};

/** A layer's operations on tensors, [N,H,W,F], or [N,F] for conditions. Call them within a tidy. */
export interface TensorOps extends Ops<tf.Tensor> {
  /** Whether dropout is active. */
  isTraining: boolean;
  /** Collects new initial gains and biases of weight-normed convolutions; null if they are not being initialized. */
  initial: InitialWeights | null;
  /** Makes the mask of a kernel once, so that no call allocates a tensor that stays. */
  prepare(kernel: Kernel, window: windows.KernelWindow): CausalMask;
  /** Sets what noise depends on: step, number of the batch's first image, seed of dropouts without one. */
  setStep(step: number, firstImage: number, seed?: string): void;
  dispose(): void;
}

export function tensorOps(): TensorOps {
  const masks = new Map<LayerWeight, CausalMask>();
  let step = 0;
  let firstImage = 0;
  let dropouts = 0; // in this step
  const ownSeed = String(Math.random());
  let given = ownSeed; // for dropouts without a seed
  /** The seed of the next noise. */
  const noiseSeed = (seed: number | string = given) => `${seed}/${step}/${dropouts++}`;

  /** The masked and normalized kernel of a convolution, cut to the rows in use, [causal rows,columns,in,out]. */
  function causalKernel(kernel: Kernel, window: windows.KernelWindow, gains?: tf.Tensor1D): tf.Tensor4D {
    const { direction, gain } = partsOf(kernel);
    const { values: mask } = ops.prepare(kernel, window);
    const given = kernelTensor(direction); // [rows,columns,in,out]
    const whole = window.transposed ? tf.reverse(given, [0, 1]) : given;
    const [rows, ...rest] = whole.shape;
    const used = windows.usedRows(plainWindow(window));
    const causal = used === rows ? whole : tf.slice(whole, 0, [used, ...rest]); // [causal rows,columns,in,out]
    const masked = mask === null ? causal : tf.mul<tf.Tensor4D>(causal, mask);
    return gain === null ? masked : normalizedKernel(masked, gains ?? tensorOf(gain));
  }

  const ops: TensorOps = {
    ...stateless,
    isTraining: false,
    initial: null,
    conv(x, kernel, bias, window, activation = 'linear') {
      const pixels = atPixels(x);
      if (ops.initial === null || !('gain' in kernel)) {
        const y = convolve(pixels, causalKernel(kernel, window), bias, window, activation); // [N,H/stride,W/stride,out]
        return likePixels(y, x);
      }
      const unscaled = causalKernel(kernel, window, tf.ones([kernel.gain.shape[0] as number]));
      const y = ops.initial.scaled(kernel, bias, convolve(pixels, unscaled, null, window, 'linear')); // recorded
      return likePixels(activation === 'relu' ? tf.relu(y) : y, x);
    },
    prepare(kernel, window) {
      const { direction } = partsOf(kernel);
      const known = masks.get(direction);
      if (known !== undefined && windows.isSameWindow(known.window, window)) return known;
      if (known !== undefined)
        throwTypeError(`weight '${direction.name}'`, 'one window for each kernel', 'two');
      const [, columns, featuresIn, featuresOut] = kernelShape(direction);
      const plain = plainWindow(window);
      const shape: tf.Tensor4D['shape'] = [windows.usedRows(plain), columns, featuresIn, featuresOut];
      const values = windows.maskOf(plain, featuresIn, featuresOut).subarray(0, tf.util.sizeFromShape(shape));
      const hidesNothing = values.every((value) => value === 1);
      const made = { window, values: hidesNothing ? null : tf.keep(tf.tensor4d(values, shape)) };
      masks.set(direction, made);
      return made;
    },
    attend(queries, keys, values, heads, { own = false, rate = 0, seed } = {}) {
      const inputs = { queries, keys, values } as Record<'queries' | 'keys' | 'values', tf.Tensor4D>;
      const dropout = ops.isTraining && rate > 0 ? { rate, seed: noiseSeed(seed), firstImage } : null;
      return attention(inputs, { heads, own, dropout }); // [N,H,W,V]
    },
    dropout(x, { rate, seed }) {
      if (!ops.isTraining || rate === 0) return x;
      const noise = noiseSeed(seed);
      const [images = 1] = x.shape;
      const uniform = streamsOf(images, (image) => `${noise}/${firstImage + image}`);
      const size = x.size / images;
      const isDropped = (i: number) => uniform(Math.floor(i / size)) < rate;
      const factors = Float32Array.from({ length: x.size }, (_, i) => (isDropped(i) ? 0 : 1 / (1 - rate)));
      return tf.mul(x, tf.tensor(factors, x.shape));
    },
    setStep(next, first, seed = ownSeed) {
      step = next;
      firstImage = first;
      given = seed;
      dropouts = 0;
    },
    dispose() {
      for (const { values } of masks.values()) values?.dispose();
      masks.clear();
    },
  };
  return ops;
}

/** Views features of whole images as images of one pixel: [N,F] -> [N,1,1,F]. */
function atPixels(x: tf.Tensor): tf.Tensor4D {
  const [n, features] = x.shape as tf.Tensor2D['shape'];
  return x.rank === 2 ? tf.reshape(x, [n, 1, 1, features]) : (x as tf.Tensor4D);
}

/** The inverse of {@link atPixels}, for y computed from x: [N,1,1,F] -> [N,F]. */
const likePixels = (y: tf.Tensor4D, x: tf.Tensor): tf.Tensor =>
  x.rank === 2 ? tf.reshape(y, [y.shape[0], y.shape[3]]) : y;

/** [N,H,W,in] -> [N,H,W,out], or another height and width if the window has a stride. */
function convolve(
  x: tf.Tensor4D,
  causalKernel: tf.Tensor4D,
  bias: LayerWeight | null,
  window: windows.KernelWindow,
  activation: 'linear' | 'relu',
): tf.Tensor4D {
  const { stride, transposed } = window;
  const biases = bias && tensorOf<tf.Tensor1D>(bias);
  const [n, h, w] = x.shape;
  const dilation = windows.dilationWithin(window, h, w);
  const conv = (of: tf.Tensor4D) => grouped(of, causalKernel, biases, { ...window, dilation }, activation);
  if (windows.seesBelow(window)) {
    const below = (window.kernelSize[0] - 1 - window.anchor[0]) * dilation[0];
    const padded = tf.pad(x, [[0, 0], [0, below], [0, 0], [0, 0]]); // biome-ignore format: [N,H+below,W,in], one pair a dimension
    return tf.slice(conv(padded), [0, below, 0, 0], [n, h, w, causalKernel.shape[3]]); // [N,H+below,W,in] -> [N,H,W,out]
  }
  if (stride === 1) return conv(x);
  return transposed ? conv(dilated(x)) : everySecond(conv(x)); // [N,H,W,in] -> [N,2H,2W,out] or [N,H/2,W/2,out]
}

/** A convolution at stride 1: [N,H,W,in], kernel [rows,columns,in/groups,out] -> [N,H,W,out]. */
function grouped(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D | null,
  window: windows.KernelWindow,
  activation: 'linear' | 'relu',
): tf.Tensor4D {
  const { imageChannels: channels, groups = 1 } = window;
  const plain = plainWindow(window);
  const [left, presentColumns, dilation] = [
    plain.anchor[1],
    windows.presentColumns(plain),
    windows.dilationOf(window),
  ];
  if (groups > 1 && groups === x.shape[3] && groups === kernel.shape[3]) {
    const z = depthwiseConv2d(x, kernel, { left, presentColumns, dilation }); // [N,H,W,in] -> [N,H,W,in]
    const y = bias === null ? z : tf.add<tf.Tensor4D>(z, bias);
    return activation === 'relu' ? tf.relu(y) : y;
  }
  const ofGroups = <T extends tf.Tensor>(of: T) => regrouped(of, channels, groups); // each one's features together, of all channels
  const y = causalConv2d(
    ofGroups(x),
    ofGroups(kernel),
    bias && ofGroups(bias),
    activation,
    left,
    presentColumns,
    dilation,
    groups,
  );
  return regrouped(y, groups, channels); // [N,H,W,out]
}

/** Puts features that are in `outer` parts of `inner` parts each in the order of the inner ones: [..,F] -> [..,F]. */
function regrouped<T extends tf.Tensor>(x: T, outer: number, inner: number): T {
  if (outer === 1 || inner === 1) return x;
  const features = x.shape.at(-1) as number;
  const parts = tf.reshape(x, [x.size / features, outer, inner, features / outer / inner]); // [places,outer,inner,F']
  return tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), x.shape) as T; // [places,inner,outer,F'] -> [..,F]
}

/** The functions of one number, as tfjs-layers computes them. */
const functions: Readonly<Record<PointwiseName, (x: tf.Tensor, parameter: number) => tf.Tensor>> = {
  relu: tf.relu,
  sigmoid: tf.sigmoid,
  tanh: tf.tanh,
  elu: (x, alpha) => (alpha === 1 ? tf.elu(x) : tf.add(tf.relu(x), tf.mul(alpha, tf.elu(tf.minimum(x, 0))))),
  selu: tf.selu,
  leakyRelu: tf.leakyRelu,
  thresholdedRelu: (x, theta) => tf.mul(x, tf.step(tf.sub(x, theta))),
  clippedRelu: (x, most) => tf.clipByValue(x, 0, most),
  hardSigmoid: (x) => tf.clipByValue(tf.add(tf.mul(0.2, x), 0.5), 0, 1),
  softplus: tf.softplus,
  softsign: (x) => tf.div(x, tf.add(tf.abs(x), 1)),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  gelu: (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2))))),
  geluNew(x) {
    const cubic = tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubic))));
  },
  quickGelu: (x) => tf.mul(x, tf.sigmoid(tf.mul(1.702, x))),
  log: (x, least) => tf.log(tf.maximum(x, least)),
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  scale: tf.mul,
  shift: tf.add,
};

const combinations = { add: tf.add, multiply: tf.mul, maximum: tf.maximum, minimum: tf.minimum };

const tensorOf = <T extends tf.Tensor>(weight: LayerWeight) => weight.read() as T;

function kernelTensor(kernel: LayerWeight): tf.Tensor4D {
  const given = tensorOf<tf.Tensor4D>(kernel);
  return given.rank === 4 ? given : tf.reshape(given, kernelShape(kernel)); // [in,out] -> [1,1,in,out]
}

/** The window at stride 1 that a convolution reduces to. */
const plainWindow = (window: windows.KernelWindow) => (window.transposed ? windows.flipped(window) : window);
