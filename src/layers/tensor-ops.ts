import {
  abs,
  add,
  cast,
  clipByValue,
  concat,
  div,
  elu,
  equal,
  erf,
  keep,
  leakyRelu,
  logSoftmax,
  maximum,
  minimum,
  mul,
  ones,
  pad,
  range,
  relu,
  reshape,
  reverse,
  rsqrt,
  selu,
  sigmoid,
  slice,
  softmax,
  softplus,
  square,
  step,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tanh,
  tensor,
  tensor4d,
  tile,
} from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkFeatures,
  checkInteger,
  checkMemory,
  checkOneOf,
  throwTypeError,
} from '../core/check';
import { positions } from '../core/images';
import { uniformsOf } from '../core/random';
import {
  checkKernel,
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
import {
  checkSoftmax,
  type DropoutArgs,
  type GateKind,
  type Kernel,
  kernelShape,
  type LayerWeight,
  type NormalizationArgs,
  type NormalizedKernel,
  type Ops,
  partsOf,
  type ScaleAndShift,
  type StandardizeArgs,
} from '../program/ops';
import {
  type CombinationName,
  type LSTMPath,
  type PointwiseName,
  parameterOf,
  type SoftmaxName,
} from '../program/program';
import type { InitialWeights } from './initial-weights';

/** The mask of a kernel on the device. */
interface CausalMask {
  readonly window: KernelWindow;
  /** [causal rows,columns,in,out]; null if nothing is hidden, as for a 1x1 kernel on one channel. */
  readonly values: Tensor4D | null;
}

/**
 * Carries out a layer's operations on tensors: [N,H,W,F], or [N,F] for conditions. To be called within a tidy. Keeps
 * the masks of the layer's kernels, and disposes of them when it is disposed.
 */
export class TensorOps implements Ops<Tensor> {
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
    x: Tensor,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu' = 'linear',
  ): Tensor {
    const isConstantOverPixels = x.rank === 2;
    const [n, featuresIn] = [x.shape[0] as number, x.shape.at(-1) as number];
    const pixels = (isConstantOverPixels ? reshape(x, [n, 1, 1, featuresIn]) : x) as Tensor4D; // [N,in] -> [N,1,1,in]
    const y =
      this.initial !== null && 'gain' in kernel
        ? this.initialize(this.initial, pixels, kernel, bias, window, activation)
        : convolve(pixels, this.causalKernel(kernel, window), bias, window, activation); // [N,H/stride,W/stride,out]
    return isConstantOverPixels ? reshape(y, [n, y.shape[3]]) : y; // [N,1,1,out] -> [N,out]
  }

  /** A convolution whose gain and bias are computed from the batch, and recorded. */
  private initialize(
    initial: InitialWeights,
    x: Tensor4D,
    kernel: NormalizedKernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu',
  ): Tensor4D {
    const unscaled = this.causalKernel(kernel, window, ones([kernel.gain.shape[0] as number]));
    const y = initial.scaled(kernel, bias, convolve(x, unscaled, null, window, 'linear'));
    return activation === 'relu' ? relu(y) : y;
  }

  /** The kernel for the convolution: masked, normalized, and cut to the rows in use, [causal rows,columns,in,out]. */
  private causalKernel(kernel: Kernel, window: KernelWindow, gains?: Tensor1D): Tensor4D {
    const { direction, gain } = partsOf(kernel);
    const { values: mask } = this.prepare(kernel, window);
    const given = kernelTensor(direction); // [rows,columns,in,out]
    const whole = window.transposed ? reverse(given, [0, 1]) : given;
    const [rows, columns, featuresIn, featuresOut] = whole.shape;
    const used = usedRows(plainWindow(window));
    const causal = used === rows ? whole : slice(whole, 0, [used, columns, featuresIn, featuresOut]); // [causal rows,columns,in,out]
    const masked = mask === null ? causal : mul<Tensor4D>(causal, mask);
    return gain === null ? masked : normalizedKernel(masked, gains ?? (gain.read() as Tensor1D));
  }

  /** Makes the mask of a kernel, once, so that no call leaves a new tensor behind. */
  prepare(kernel: Kernel, window: KernelWindow): CausalMask {
    const { direction } = partsOf(kernel);
    const known = this.masks.get(direction);
    if (known !== undefined && isSameWindow(known.window, window)) return known;
    if (known !== undefined)
      throwTypeError(`weight '${direction.name}'`, 'one window for a kernel', 'another');
    checkWindow(window);
    const shape = kernelShape(direction);
    checkKernel(window, shape, shape[2]);
    const [, columns, featuresIn, featuresOut] = shape;
    const plain = plainWindow(window);
    const rows = usedRows(plain);
    const values = maskOf(plain, featuresIn, featuresOut).subarray(
      0,
      rows * columns * featuresIn * featuresOut,
    );
    const hidesNothing = values.every((value) => value === 1);
    const mask = hidesNothing ? null : keep(tensor4d(values, [rows, columns, featuresIn, featuresOut]));
    const made = { window, values: mask };
    this.masks.set(direction, made);
    return made;
  }

  pointwise(fn: PointwiseName, x: Tensor, parameter?: number): Tensor {
    return functions[fn](x, parameterOf(fn, parameter));
  }

  combine(fn: CombinationName, ...inputs: Tensor[]): Tensor {
    const rank = Math.max(...inputs.map((input) => input.rank));
    const widened = inputs.map((input) => atEveryPixel(input, rank));
    return widened.reduce((a, b) => combinations[fn](a, b));
  }

  concat(...inputs: Tensor[]): Tensor {
    const pixels = inputs.find((input) => input.rank === 4)?.shape;
    const widened = inputs.map((input) => {
      if (pixels === undefined || input.rank === 4) return input;
      const [, height = 0, width = 0] = pixels;
      return tile(atEveryPixel(input, 4), [1, height, width, 1]); // [N,F] -> [N,1,1,F] -> [N,H,W,F]
    });
    return concat(widened, widened[0]?.rank === 5 ? 3 : -1); // of levels, whole channels
  }

  slice(x: Tensor, start: number, size: number): Tensor {
    const before = x.shape.slice(0, -1);
    return slice(x, [...before.map(() => 0), start], [...before, size]); // [N,H,W,F] -> [N,H,W,size]
  }

  shift(x: Tensor, rows: number, columns: number): Tensor {
    const [n, h, w, features] = x.shape as Tensor4D['shape'];
    const [down, right] = [Math.min(rows, h), Math.min(columns, w)];
    const padded = pad(x as Tensor4D, [[0, 0], [down, 0], [right, 0], [0, 0]]); // biome-ignore format: [N,H+rows,W+columns,F], one pair a dimension
    return slice(padded, 0, [n, h, w, features]); // [N,H,W,F]
  }

  enlarge(x: Tensor, rows: number, columns: number): Tensor {
    const [n, h, w, features] = x.shape as Tensor4D['shape'];
    checkMemory('enlarge: images, height, width, features', [n, h * rows, w * columns, features]);
    const repeat = (of: Tensor, times: number, axis: number) =>
      concat(new Array<Tensor>(times).fill(of), axis);
    const wide = reshape(repeat(x, columns, 3), [n, h, w * columns, features]); // [N,H,W,columns*F] -> [N,H,columns*W,F]
    return reshape(repeat(wide, rows, 2), [n, h * rows, w * columns, features]); // [N,H,rows*columns*W,F] -> [N,rows*H,columns*W,F]
  }

  position(x: Tensor): Tensor {
    const [n, h, w] = x.shape as Tensor4D['shape'];
    return tile(tensor4d(positions(h, w), [1, h, w, 2]), [n, 1, 1, 1]); // [1,H,W,2] -> [N,H,W,2]
  }

  concatElu(x: Tensor): Tensor {
    return concatElu(x); // [N,H,W,F] -> [N,H,W,2F]
  }

  gate(x: Tensor, groups: number, condition?: Tensor, kind?: GateKind): Tensor {
    const isConstantOverPixels = x.rank === 2;
    if (isConstantOverPixels && condition !== undefined)
      return this.gate(this.combine('add', x, condition), groups, undefined, kind);
    const [n, features] = [x.shape[0] as number, x.shape.at(-1) as number];
    checkFeatures('gate: input', features, 2 * groups, '2 * groups');
    if (isConstantOverPixels) {
      const y = gate(reshape(x, [n, 1, 1, features]), groups, null, kind); // [N,2F] -> [N,1,1,2F] -> [N,1,1,F]
      return reshape(y, [n, features / 2]); // [N,1,1,F] -> [N,F]
    }
    if (condition?.rank === 4) return gate(add<Tensor4D>(x, condition), groups, null, kind); // [N,H,W,2F] -> [N,H,W,F]
    return gate(x as Tensor4D, groups, condition as Tensor2D | undefined, kind); // [N,H,W,2F] -> [N,H,W,F]
  }

  softmax(fn: SoftmaxName, x: Tensor, groups: number): Tensor {
    const features = x.shape.slice(x.rank === 2 ? 1 : 3).reduce((product, length) => product * length, 1);
    checkSoftmax(fn, features, groups);
    const flat = reshape(x, [-1, features / groups]); // [N,H,W,F] -> [N*H*W*groups,F/groups]
    return reshape(fn === 'softmax' ? softmax(flat) : logSoftmax(flat), x.shape); // and back
  }

  affine(x: Tensor, { scale, shift }: ScaleAndShift): Tensor {
    return scaled(x, scale, shift);
  }

  standardize(x: Tensor, { mean, variance, epsilon, scale, shift }: StandardizeArgs): Tensor {
    const factor = rsqrt(add(tensorOf(variance), epsilon)); // [F]
    return scaled(mul(sub(x, tensorOf(mean)), factor), scale, shift);
  }

  normalize(x: Tensor, { epsilon, groups = 1, scale, shift }: NormalizationArgs): Tensor {
    const [n, features] = [x.shape[0] as number, x.shape.at(-1) as number];
    checkFeatures('normalize: input', features, groups, 'groups');
    const pixels: Tensor4D = x.rank === 2 ? reshape(x, [n, 1, 1, features]) : (x as Tensor4D); // [N,F] -> [N,1,1,F]
    const weights = { scale: vectorOf(scale), shift: vectorOf(shift) };
    return reshape(layerNorm({ x: pixels, ...weights }, { groups, epsilon }), x.shape);
  }

  oneHot(x: Tensor, size: number): Tensor {
    return cast(equal(cast(x, 'int32'), range(0, size, 1, 'int32')), 'float32'); // [N,1], [size] -> [N,size]
  }

  oneHotLevels(x: Tensor, levels: number): Tensor {
    return oneHotLevels(x, levels); // [N,H,W,C] -> [N,H,W,C*L]
  }

  embedLevels(x: Tensor, table: LayerWeight): Tensor {
    return embedLevels(x, tensorOf(table) as Tensor2D); // [N,H,W,C] -> [N,H,W,C*U]
  }

  attend(queries: Tensor, keys: Tensor, values: Tensor, heads: number, dropout?: DropoutArgs): Tensor {
    const inputs = { queries, keys, values } as Record<'queries' | 'keys' | 'values', Tensor4D>;
    const { rate = 0, seed } = dropout ?? {};
    const drops = this.isTraining && rate > 0;
    return attention(inputs, heads, drops ? { rate, seed: this.noiseSeed(seed) } : null); // [N,H,W,U]
  }

  lstm(x: Tensor, kernel: LayerWeight, path: LSTMPath, groups: number): Tensor {
    return pixelLSTM(x as Tensor4D, kernelTensor(kernel), path, groups); // [N,H,W,4F] -> [N,H,W,F]
  }

  dropout(x: Tensor, { rate, seed }: DropoutArgs): Tensor {
    if (!this.isTraining || rate === 0) return x;
    const uniform = uniformsOf(this.noiseSeed(seed));
    const factors = Float32Array.from({ length: x.size }, () => (uniform() < rate ? 0 : 1 / (1 - rate)));
    return mul(x, tensor(factors, x.shape));
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

  perChannel(x: Tensor, channels: number, levels: number): Tensor {
    return reshape(x, [...x.shape.slice(0, -1), channels, levels]); // [N,H,W,C*L] -> [N,H,W,C,L]
  }

  /** Releases all memory. */
  dispose(): void {
    for (const { values } of this.masks.values()) values?.dispose();
    this.masks.clear();
  }
}

/** [N,H,W,in] -> [N,H,W,out], or another height and width if the window has a stride. */
function convolve(
  x: Tensor4D,
  causalKernel: Tensor4D,
  bias: LayerWeight | null,
  window: KernelWindow,
  activation: 'linear' | 'relu',
): Tensor4D {
  const { stride, transposed } = window;
  const pixels = transposed && stride > 1 ? dilated(x) : x; // [N,H,W,in] -> [N,2H,2W,in]
  const plain = plainWindow(window);
  const biases = bias === null ? null : (bias.read() as Tensor1D);
  const conv = (of: Tensor4D) =>
    causalConv2d(of, causalKernel, biases, activation, plain.anchor[1], presentColumns(plain));
  if (seesBelow(window)) {
    const below = window.kernelSize[0] - 1 - window.anchor[0];
    const [n, h, w] = x.shape;
    const padded = pad(x, [[0, 0], [0, below], [0, 0], [0, 0]]); // biome-ignore format: [N,H+below,W,in], one pair a dimension
    return slice(conv(padded), [0, below, 0, 0], [n, h, w, causalKernel.shape[3]]); // [N,H+below,W,in] -> [N,H,W,out]
  }
  const y = conv(pixels); // [N,H,W,out]
  return stride > 1 && !transposed ? everySecond(y) : y; // [N,H,W,out] -> [N,H/2,W/2,out]
}

/** The functions by name, as tfjs-layers computes them. */
const functions: Readonly<Record<PointwiseName, (x: Tensor, parameter: number) => Tensor>> = {
  relu: (x) => relu(x),
  sigmoid: (x) => sigmoid(x),
  tanh: (x) => tanh(x),
  elu: (x, alpha) => (alpha === 1 ? elu(x) : add(relu(x), mul(alpha, elu(minimum(x, 0))))),
  selu: (x) => selu(x),
  leakyRelu: (x, alpha) => leakyRelu(x, alpha),
  thresholdedRelu: (x, theta) => mul(x, step(sub(x, theta))),
  clippedRelu: (x, most) => clipByValue(x, 0, most),
  hardSigmoid: (x) => clipByValue(add(mul(0.2, x), 0.5), 0, 1),
  softplus: (x) => softplus(x),
  softsign: (x) => div(x, add(abs(x), 1)),
  swish: (x) => mul(x, sigmoid(x)),
  gelu: (x) => mul(x, mul(0.5, add(1, erf(div(x, Math.SQRT2))))),
  geluNew: (x) =>
    mul(mul(0.5, x), add(1, tanh(mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, square(x)))))))),
  mish: (x) => mul(x, tanh(softplus(x))),
  scale: (x, factor) => mul(x, factor),
  shift: (x, term) => add(x, term),
};

const combinations: Readonly<Record<CombinationName, (a: Tensor, b: Tensor) => Tensor>> = {
  add: (a, b) => add(a, b),
  multiply: (a, b) => mul(a, b),
  maximum: (a, b) => maximum(a, b),
  minimum: (a, b) => minimum(a, b),
};

/** Prepares features that are the same at every pixel for sums with those that are not: [N,F] -> [N,1,1,F]. */
function atEveryPixel(x: Tensor, rank: number): Tensor {
  if (x.rank === rank) return x;
  const [n, features] = x.shape as [number, number];
  return reshape(x, [n, 1, 1, features]);
}

const tensorOf = (weight: LayerWeight) => weight.read() as Tensor;

const vectorOf = (weight: LayerWeight | undefined) => weight && (tensorOf(weight) as Tensor1D);

function scaled(x: Tensor, scale: LayerWeight | undefined, shift: LayerWeight | undefined): Tensor {
  const y = scale === undefined ? x : mul(x, tensorOf(scale));
  return shift === undefined ? y : add(y, tensorOf(shift));
}

function kernelTensor(kernel: LayerWeight): Tensor4D {
  const tensor = tensorOf(kernel);
  return tensor.rank === 4 ? (tensor as Tensor4D) : reshape(tensor, kernelShape(kernel)); // [in,out] -> [1,1,in,out]
}

/** The window at stride 1 that a convolution reduces to. */
const plainWindow = (window: KernelWindow) => (window.transposed ? flipped(window) : window);

/** Checks a window, which may have been made by hand. */
function checkWindow({ kernelSize, anchor, stride, transposed }: KernelWindow): void {
  for (const axis of [0, 1] as const)
    checkInteger('conv: window: anchor', anchor[axis], 0, kernelSize[axis] - 1);
  checkOneOf('conv: window: stride', stride, [1, 2]);
  checkBoolean('conv: window: transposed', transposed);
}
