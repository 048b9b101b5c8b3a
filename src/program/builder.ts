import { checkInteger, checkOneOf, throwTypeError } from '../core/check';
import { checkKernel, eachVisibleRun, isSameWindow, type KernelWindow } from '../core/window';
import {
  checkAffine,
  checkAttend,
  checkBias,
  checkConstantConv,
  checkDropout,
  checkEncodedLevels,
  checkEnlarge,
  checkedKernelShape,
  checkGate,
  checkLSTM,
  checkNormalize,
  checkShift,
  checkSize,
  checkSlice,
  checkSoftmax,
  checkStandardize,
  type DropoutArgs,
  type GateKind,
  isOfAll,
  type Kernel,
  kernelShape,
  type LayerWeight,
  type NormalizationArgs,
  type Ops,
  ownName,
  partsOf,
  type ScaleAndShift,
  SMALLEST_SQUARE,
  type StandardizeArgs,
  sizeOfAll,
  sizeOfConcat,
  tableShape,
} from './ops';
import {
  type CombinationName,
  type LSTMPath,
  operandsOf,
  type PointwiseName,
  type ProgramNode,
  parameterOf,
  type SoftmaxName,
} from './program';

/** Features [F] of every pixel, one value of a program. */
export interface Features {
  /** F. */
  readonly size: number;
}

/** What features are internally, and to code that builds models from them. */
interface IndexedFeatures extends Features {
  /** The node that computes them. */
  readonly index: number;
}

/** The node of the image, which comes first. */
const IMAGE = 0;

/** The window that takes every second row and column of a map. */
const EVERY_SECOND: KernelWindow = {
  kernelSize: [1, 1],
  anchor: [0, 0],
  present: 'everything',
  imageChannels: 1,
  stride: 2,
  transposed: false,
};

/** The node that computes the features. */
export const nodeOf = (features: Features): number => (features as IndexedFeatures).index;

/** A weight of the program, computed from the numbers of a layer's weights once they are read. */
export interface WeightRecipe {
  readonly shape: readonly number[];
  readonly from: readonly LayerWeight[];
  readonly make: (numbers: readonly ArrayLike<number>[]) => Float32Array;
}

/** What a normalized kernel is made with besides its direction. */
interface Norm {
  readonly gain: LayerWeight;
  /** What the norm is of: the part that is seen. */
  readonly window: KernelWindow;
}

const isSameNorm = (a: Norm | null, b: Norm | null) =>
  a === b || (a !== null && b !== null && a.gain === b.gain && isSameWindow(a.window, b.window));

/** A weight of the program that is named after a layer's. */
interface WeightUse {
  readonly name: string;
  readonly shape: readonly number[];
  readonly norm: Norm | null;
}

/**
 * Builds a program: each operation adds a node. Weights are recorded as the layers hold them, and read when the program
 * becomes a model.
 */
export class ProgramBuilder implements Ops<Features> {
  readonly nodes: ProgramNode[] = [];
  /** The layer that each node belongs to. */
  readonly owners: string[] = [];
  /** By name. */
  readonly weights = new Map<string, WeightRecipe>();

  /** By the layer's weight that names it: each use that makes other numbers of it, or another shape. */
  private readonly uses = new Map<LayerWeight, WeightUse[]>();
  /** Whether each node is the same at every pixel of an image: computed from vector conditions only. */
  private readonly areConstant: boolean[] = [];
  /** The scale of each node (see `Readiness`) that passed convolutions with strides; null for the others. */
  private readonly scales: (number | null)[] = [];
  private layer = '';

  /** Sets the layer that the next operations belong to. */
  enterLayer(name: string): void {
    this.layer = name;
  }

  private checkIsMap(op: string, x: Features): void {
    if (this.areConstant[nodeOf(x)])
      throwTypeError(`${op}: input`, 'features of pixels', 'one that is the same at all');
  }

  private push(
    node: ProgramNode,
    isConstant = operandsOf(node).every((operand) => this.areConstant[operand]),
  ): Features {
    this.areConstant.push(isConstant);
    this.scales.push(this.scaleOf(node));
    this.owners.push(this.layer);
    this.nodes.push(node);
    const features: IndexedFeatures = { size: node.size, index: this.nodes.length - 1 };
    return features;
  }

  private scaleOf(node: ProgramNode): number | null {
    const scale = operandsOf(node).reduce<number | null>(
      (found, one) => found ?? this.scales[one] ?? null,
      null,
    );
    if (node.op !== 'conv' || node.window.stride === 1) return scale;
    const { stride, transposed } = node.window;
    return transposed ? (scale ?? 1) / stride : (scale ?? 1) * stride;
  }

  /** The image, normalized: one feature a channel. */
  image(imageChannels: number): Features {
    return this.push({ op: 'image', size: imageChannels }, false);
  }

  /** A condition: one vector for the image, or one for each of its pixels. */
  condition(index: number, size: number, isMap: boolean): Features {
    return this.push({ op: 'condition', size, index }, !isMap);
  }

  conv(
    x: Features,
    kernel: Kernel,
    bias: LayerWeight | null,
    window: KernelWindow,
    activation: 'linear' | 'relu' = 'linear',
  ): Features {
    checkOneOf('conv: activation', activation, ['linear', 'relu']);
    const shape = checkedKernelShape(kernel);
    checkKernel(window, shape, x.size);
    const featuresOut = shape[3];
    checkBias(bias, featuresOut);
    if (this.areConstant[nodeOf(x)]) checkConstantConv('conv', window);
    const y = this.push({
      op: 'conv',
      size: featuresOut,
      input: nodeOf(x),
      kernel: this.kernel(kernel, shape, window),
      bias: bias && this.weight(bias, [featuresOut]),
      window,
    });
    return activation === 'relu' ? this.pointwise('relu', y) : y;
  }

  pointwise(fn: PointwiseName, x: Features, parameter?: number): Features {
    const node = { fn, parameter: parameterOf(fn, parameter) };
    return this.push({ op: 'pointwise', size: x.size, input: nodeOf(x), ...node });
  }

  combine(fn: CombinationName, ...inputs: Features[]): Features {
    const size = sizeOfAll(
      fn,
      inputs.map((input) => input.size),
    );
    return this.push({ op: fn, size, inputs: inputs.map(nodeOf) });
  }

  concat(...inputs: Features[]): Features {
    const size = sizeOfConcat(inputs.map((input) => input.size));
    return this.push({ op: 'concat', size, inputs: inputs.map(nodeOf) });
  }

  slice(x: Features, start: number, size: number): Features {
    checkSlice(x.size, start, size);
    return this.push({ op: 'slice', size, input: nodeOf(x), start });
  }

  shift(x: Features, rows: number, columns: number): Features {
    checkShift(rows, columns);
    this.checkIsMap('shift', x);
    return this.push({ op: 'shift', size: x.size, input: nodeOf(x), rows, columns });
  }

  enlarge(x: Features, rows: number, columns: number): Features {
    checkEnlarge('enlarge', rows, columns);
    this.checkIsMap('enlarge', x);
    return this.push({ op: 'enlarge', size: x.size, input: nodeOf(x), rows, columns });
  }

  position(x: Features): Features {
    this.checkIsMap('position', x);
    const scale = this.scales[nodeOf(x)] ?? null;
    // Strides keep the upper left of the places that they merge, whose position is the same as that of the coarse place.
    let position = this.push({ op: 'position', size: 2, input: scale === null ? nodeOf(x) : IMAGE });
    for (let reached = 1; reached < (scale ?? 1); reached *= EVERY_SECOND.stride) {
      const kernel = this.unusedName('every_second');
      this.weights.set(kernel, { shape: [1, 1, 2, 2], from: [], make: () => Float32Array.of(1, 0, 0, 1) });
      const input = nodeOf(position);
      position = this.push({ op: 'conv', size: 2, input, kernel, bias: null, window: EVERY_SECOND });
    }
    return position;
  }

  concatElu(x: Features): Features {
    return this.push({ op: 'concatElu', size: 2 * x.size, input: nodeOf(x) });
  }

  gate(x: Features, groups: number, condition?: Features, kind?: GateKind): Features {
    checkGate(x.size, groups, kind);
    const sum = condition === undefined ? x : this.combine('add', x, condition);
    const op = kind === 'linear' ? 'linearGate' : 'gate';
    return this.push({ op, size: x.size / 2, input: nodeOf(sum), groups });
  }

  softmax(fn: SoftmaxName, x: Features, groups: number): Features {
    checkSoftmax(fn, x.size, groups);
    return this.push({ op: fn, size: x.size, input: nodeOf(x), groups });
  }

  standardize(x: Features, args: StandardizeArgs): Features {
    const { mean, variance, epsilon, scale, shift } = args;
    checkStandardize(x.size, args);
    const of = [mean, variance, scale, shift].filter((weight) => weight !== undefined);
    const derived = (name: string, number: (factor: number, mean: number, beta: number) => number) =>
      this.derivedWeight(name, x.size, of, (all) =>
        Float32Array.from({ length: x.size }, (_, feature) => {
          const [mean = 0, variance = 0, ...rest] = all.map((numbers) => numberOf(numbers, feature));
          const gamma = scale === undefined ? 1 : (rest.shift() as number);
          const beta = shift === undefined ? 0 : (rest.shift() as number);
          return number(gamma / Math.sqrt(variance + epsilon), mean, beta);
        }),
      );
    return this.push({
      op: 'affine',
      size: x.size,
      input: nodeOf(x),
      scale: derived('scale', (factor) => factor),
      shift: derived('shift', (factor, mean, beta) => beta - mean * factor),
    });
  }

  attend(
    queries: Features,
    keys: Features,
    values: Features,
    heads: number,
    dropout?: DropoutArgs,
  ): Features {
    const inputs = [queries, keys, values] as const;
    const size = checkAttend(
      inputs.map((input) => input.size),
      heads,
      dropout,
    );
    for (const input of inputs) this.checkIsMap('attend', input);
    return this.push({ op: 'attend', size, inputs: [nodeOf(queries), nodeOf(keys), nodeOf(values)], heads });
  }

  lstm(x: Features, kernel: LayerWeight, path: LSTMPath, groups: number): Features {
    const size = checkLSTM(x.size, kernel, path, groups);
    this.checkIsMap('lstm', x);
    const shape = kernelShape(kernel);
    const kernelSize = [shape[0], shape[1]] as const;
    const name = this.weight(kernel, shape);
    return this.push({ op: 'lstm', size, input: nodeOf(x), kernel: name, kernelSize, path, groups });
  }

  affine(x: Features, args: ScaleAndShift): Features {
    checkAffine(x.size, args);
    const { scale, shift } = args;
    return this.push({
      op: 'affine',
      size: x.size,
      input: nodeOf(x),
      scale: this.weightOr(1, 'scale', scale, x.size),
      shift: this.weightOr(0, 'shift', shift, x.size),
    });
  }

  normalize(x: Features, args: NormalizationArgs): Features {
    checkNormalize(x.size, args);
    const { epsilon, groups = 1, scale, shift } = args;
    return this.push({
      op: 'normalize',
      size: x.size,
      input: nodeOf(x),
      scale: this.weightOr(1, 'scale', scale, x.size),
      shift: this.weightOr(0, 'shift', shift, x.size),
      epsilon,
      groups,
    });
  }

  oneHot(x: Features, size: number): Features {
    if (x.size !== 1) throwTypeError('oneHot: input', 'one feature', x.size);
    checkInteger('oneHot: size', size, 1);
    return this.push({ op: 'oneHot', size, input: nodeOf(x) });
  }

  oneHotLevels(x: Features, levels: number): Features {
    checkEncodedLevels('oneHotLevels: levels', levels);
    return this.push({ op: 'oneHotLevels', size: x.size * levels, input: nodeOf(x), levels });
  }

  embedLevels(x: Features, table: LayerWeight): Features {
    const shape = tableShape(table);
    const name = this.weight(table, shape);
    return this.push({ op: 'embedLevels', size: x.size * shape[1], input: nodeOf(x), table: name });
  }

  /** Returns the same features: programs do not train. */
  dropout(x: Features, args: DropoutArgs): Features {
    checkDropout('dropout', args);
    return x;
  }

  /** Returns the same features: in a program they are already ordered channel by channel, level by level. */
  perChannel(x: Features, channels: number, levels: number): Features {
    if (x.size !== channels * levels)
      throwTypeError('perChannel: input', `${channels * levels} features`, x.size);
    return x;
  }

  /** The name of a layer's weight, which is the same wherever the layer is used. */
  private weight(weight: LayerWeight, shape: readonly number[]): string {
    checkSize(weight, shape);
    return this.named(weight, null, shape, ([numbers = []]) => new Float32Array(numbers));
  }

  /** The same for a kernel [rows,columns,in,out], in the form used for the convolution. */
  private kernel(kernel: Kernel, shape: [number, number, number, number], window: KernelWindow): string {
    const { direction, gain } = partsOf(kernel);
    if (gain === null) return this.weight(direction, shape);
    return this.named(direction, { gain, window }, shape, ([numbers = [], gains = []]) =>
      normalizedKernel(numbers, gains, window, shape[2]),
    );
  }

  /** Names a weight after one of the layer's. */
  private named(
    weight: LayerWeight,
    norm: Norm | null,
    shape: readonly number[],
    make: WeightRecipe['make'],
  ): string {
    const uses = this.uses.get(weight) ?? [];
    const known = uses.find((use) => isSameNorm(use.norm, norm) && String(use.shape) === String(shape));
    if (known !== undefined) return known.name;
    const name = this.unusedName(ownName(weight).join('.'));
    this.uses.set(weight, [...uses, { name, shape, norm }]);
    this.weights.set(name, { shape, from: norm === null ? [weight] : [weight, norm.gain], make });
    return name;
  }

  /**
   * The name of a layer's weight [size]. A weight of a single number is repeated; if there is no weight, `value` is.
   */
  private weightOr(value: number, name: string, weight: LayerWeight | undefined, size: number): string {
    if (weight !== undefined && (size === 1 || !isOfAll(weight))) return this.weight(weight, [size]);
    const from = weight === undefined ? [] : [weight];
    return this.derivedWeight(name, size, from, ([one = [value]]) =>
      new Float32Array(size).fill(one[0] as number),
    );
  }

  private derivedWeight(
    name: string,
    size: number,
    from: readonly LayerWeight[],
    make: WeightRecipe['make'],
  ): string {
    const unused = this.unusedName(name);
    this.weights.set(unused, { shape: [size], from, make });
    return unused;
  }

  private unusedName(name: string): string {
    const full = this.layer === '' ? name : `${this.layer}.${name}`;
    let unused = full;
    for (let n = 1; this.weights.has(unused); n++) unused = `${full}_${n}`;
    return unused;
  }
}

/** gain direction / ||direction|| for each output, over the visible part of the mask; see {@link NormalizedKernel}. */
function normalizedKernel(
  direction: ArrayLike<number>,
  gain: ArrayLike<number>,
  window: KernelWindow,
  featuresIn: number,
): Float32Array {
  const featuresOut = gain.length;
  const kernel = new Float32Array(direction.length);
  const factors = new Float64Array(featuresOut);
  eachVisibleRun(window, featuresIn, featuresOut, (from, to) => {
    for (let i = from, o = featuresOut + from - to; i < to; i++, o++) {
      const one = direction[i] as number;
      factors[o] = (factors[o] as number) + one * one;
    }
  });
  for (const [o, square] of factors.entries()) {
    factors[o] = (gain[o] as number) / Math.sqrt(Math.max(square, SMALLEST_SQUARE));
  }
  eachVisibleRun(window, featuresIn, featuresOut, (from, to) => {
    for (let i = from, o = featuresOut + from - to; i < to; i++, o++) {
      kernel[i] = (direction[i] as number) * (factors[o] as number);
    }
  });
  return kernel;
}

/** The number of a feature, or the single number for all features. */
const numberOf = (numbers: ArrayLike<number>, feature: number) =>
  numbers[numbers.length === 1 ? 0 : feature] as number;
