import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  autoregressiveModel,
  type BlockArgs,
  diagonalBiLSTMBlock,
  gatedActivation,
  gatedPixelCNN,
  gaussian,
  type InputEncoding,
  imageGPT,
  type LayerWeight,
  logisticMixture,
  maskedConv2d,
  mixtureParameters,
  type Ops,
  oneHotClass,
  PixelLayer,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelCNNResBlock,
  pixelLogits,
  pixelNormalization,
  pixelSNAIL,
  rowLSTMBlock,
  type TensorDistribution,
  windowOf,
} from 'pixelcnn-layers';
import { noise } from '../tensors';

// Networks of every factory, with kernels of one row or column, and graphs that a user may compose, with any last layer.

type ImageShape = [height: number, width: number, channels: number];
type Size = [rows: number, columns: number];
/** `'own'` is a distribution of a user, in composed graphs; a softmax elsewhere. */
type Output = 'softmax' | 'gaussian' | 'own' | { components: number };

/** What a model is conditioned on, by the options of the factories that take it. */
interface Conditions {
  numClasses?: number;
  nullClass?: boolean;
  conditionSize?: number;
  conditionMapSize?: number;
}

/** A step in which a composed graph grows by a layer; `on` and `other` choose what it reads. */
interface Step {
  readonly kind: (typeof stepKinds)[number];
  readonly on: number;
  readonly other: number;
  readonly kernelSize: Size;
  /** What a layer of a user does. */
  readonly own: (typeof ownOps)[number];
}
const stepKinds = [
  'conv', 'twoGains', 'rowsAbove', 'tanh', 'elu', 'normalize', 'add', 'multiply', 'gate', 'concat', 'condition',
  'ownOps',
] as const; // biome-ignore format: names
const ownOps = [
  'regroup', 'softmax', 'logSoftmax', 'shift', 'position', 'coarse', 'attend', 'rows', 'fromLeft', 'raster',
  'attendOwn',
] as const; // biome-ignore format: names

/** The arguments of a factory or of {@link composed}, with the factory's name. */
export interface ModelRecipe {
  readonly family: 'pixelCNN' | 'gatedPixelCNN' | 'pixelCNNPlusPlus' | 'pixelSNAIL' | 'imageGPT' | 'composed';
  readonly imageShape: ImageShape;
  readonly levels: number;
  readonly numBlocks: number;
  readonly features: number;
  readonly firstKernelSize: Size;
  readonly kernelSize: Size;
  readonly input: InputEncoding;
  readonly output: Output;
  readonly conditions: Conditions;
  readonly block: keyof typeof blocks;
  readonly steps: readonly Step[];
  readonly tail: (typeof tails)[number];
  /** Whether plain and gated networks take images of any size. */
  readonly isAnySize: boolean;
  /** Whether PixelSNAIL is conditioned on codes. */
  readonly hasCodes: boolean;
}
const tails = ['none', 'tanh', 'normalize', 'add', 'batchNormalization', 'regroup', 'logSoftmax'] as const;

/** The shape of a recipe's images. */
export function imageShapeOf({ family, imageShape: [h, w, c], steps }: ModelRecipe): ImageShape {
  if (family === 'imageGPT') return [h, w, 1];
  if (family === 'pixelCNNPlusPlus') return [h > 3 ? 8 : 4, w > 3 ? 8 : 4, c];
  const isCoarse = family === 'composed' && steps.some(({ kind, own }) => kind === 'ownOps' && own === 'coarse');
  return isCoarse ? [h + (h % 2), w + (w % 2), c] : [h, w, c];
}

const ofFactory = (output: Output) => (output === 'own' ? 'softmax' : output);

const blocks = {
  residual: ({ index: _, ...args }: BlockArgs) => pixelCNNResBlock(args),
  rowLSTM: ({ index: _, ...args }: BlockArgs) => rowLSTMBlock(args),
  diagonalBiLSTM: ({ index: _, kernelSize: __, ...args }: BlockArgs) => diagonalBiLSTMBlock(args),
};

/** The arguments that plain and gated networks share. */
const ofBoth = ({ features, ...recipe }: ModelRecipe) => {
  const { levels, numBlocks, firstKernelSize, kernelSize, input } = recipe;
  const [height, width, channels] = recipe.imageShape;
  const imageShape = recipe.isAnySize ? ([null, null, channels] as const) : ([height, width, channels] as const);
  const sizes = { hiddenDim: features, outDim: features, numBlocks };
  const output = ofFactory(recipe.output);
  return { imageShape, levels, ...sizes, firstKernelSize, kernelSize, input, output };
};

const families: Record<ModelRecipe['family'], (recipe: ModelRecipe) => tfl.LayersModel> = {
  pixelCNN: (recipe) => pixelCNN({ ...ofBoth(recipe), block: blocks[recipe.block] }),
  gatedPixelCNN: (recipe) => gatedPixelCNN({ ...ofBoth(recipe), ...recipe.conditions }),
  pixelCNNPlusPlus: (recipe) =>
    pixelCNNPlusPlus({
      imageShape: imageShapeOf(recipe),
      levels: recipe.levels,
      filters: recipe.features,
      numResnets: Math.max(1, recipe.numBlocks),
      output: ofFactory(recipe.output),
      ...withoutMap(recipe.conditions),
    }),
  pixelSNAIL: ({ imageShape, levels, numBlocks, features, input, output, conditions, kernelSize, hasCodes }) =>
    pixelSNAIL({
      imageShape,
      levels,
      filters: 2 * features,
      heads: 1,
      numBlocks: Math.max(1, numBlocks),
      numResBlocks: 1,
      resFilters: features,
      attention: kernelSize[0] !== 1,
      outResBlocks: numBlocks % 2,
      input,
      output: ofFactory(output),
      ...withoutMap(conditions),
      // Each code covers a row, or all of them.
      ...(hasCodes && {
        codeCondition: {
          ...{ levels: 3, resBlocks: 1, resFilters: 2 },
          shape: [numBlocks % 2 === 0 ? imageShape[0] : 1, 1] as [number, number],
        },
      }),
    }),
  imageGPT: (recipe) =>
    imageGPT({
      imageShape: imageShapeOf(recipe),
      levels: recipe.levels,
      width: recipe.kernelSize[0] * recipe.features,
      heads: recipe.kernelSize[0],
      layers: Math.max(1, recipe.numBlocks),
      norm: recipe.isAnySize ? 'rms' : 'layer',
      activation: recipe.block === 'residual' ? 'quickGelu' : 'gelu',
      residual: recipe.hasCodes ? 'normalized' : 'input',
      ...withoutMap(recipe.conditions),
    }),
  composed,
};

const withoutMap = ({ conditionMapSize: _, ...rest }: Conditions) => rest;

/**
 * A graph of layers: convolutions of mask A over the image, steps, and whatever layer comes last before the distribution.
 * Features are grouped by channel throughout.
 */
function composed(recipe: ModelRecipe) {
  const { levels, features, firstKernelSize, kernelSize, output, steps, tail } = recipe;
  const imageShape = imageShapeOf(recipe);
  const channels = imageShape[2];
  const image = tfl.input({ shape: imageShape });
  const apply = (layer: tfl.layers.Layer, ...x: tfl.SymbolicTensor[]) =>
    layer.apply(x.length === 1 ? (x[0] as tfl.SymbolicTensor) : x) as tfl.SymbolicTensor;
  const conv = (x: tfl.SymbolicTensor, filters: number, kernelSize: Size, more = {}) =>
    apply(maskedConv2d({ filters, kernelSize, imageChannels: channels, ...more }), x);
  const { conditions } = recipe;
  const { numClasses, conditionSize, conditionMapSize } = conditions;
  const given = [numClasses && [1], conditionMapSize && [...imageShape.slice(0, 2), conditionMapSize], conditionSize && [conditionSize]];
  const beside = given.flatMap((shape) => (shape ? [tfl.input({ shape })] : []));
  const read = beside.map((one, i) => {
    const { nullClass = false } = conditions;
    return numClasses && i === 0 ? apply(oneHotClass({ numClasses, nullClass }), one) : one;
  });
  const ofChannel = typeof output === 'object' ? 3 * output.components : { softmax: levels, gaussian: 2, own: levels + 1 }[output];
  const outs = channels * ofChannel;
  const filters = steps.length === 0 ? outs : 2 * features * channels; // without steps, the first layer gives the outputs
  const first = conv(image, filters, firstKernelSize, { maskType: 'A' });
  const all = [first];
  if (steps.length > 0) all.push(conv(image, filters, kernelSize, { maskType: 'A', imageChannels: 1 }));
  for (const { kind, on, other, kernelSize, own } of steps) {
    const x = all[on % all.length] as tfl.SymbolicTensor;
    // Another one: tfjs disposes a tensor too early that a layer reads twice.
    const others = all.filter((y) => y !== x && y.shape[3] === x.shape[3]);
    const y = others[other % others.length] ?? apply(tfl.layers.elu(), x);
    const makers: Record<Step['kind'], () => tfl.SymbolicTensor> = {
      conv: () => conv(x, filters, kernelSize, { dilationRate: 1 + (other % 3), groups: x.shape[3] === filters ? 1 + (on % 2) : 1 }),
      twoGains: () => apply(new TwoGains(channels), x),
      rowsAbove: () => conv(x, filters, kernelSize, { vertical: true, maskType: 'A', imageChannels: 1 }),
      tanh: () => apply(tfl.layers.activation({ activation: 'tanh' }), x),
      elu: () => apply(tfl.layers.elu(), x),
      normalize: () => apply(pixelNormalization({ imageChannels: channels, epsilon: 0.5 }), x),
      add: () => apply(tfl.layers.add(), x, y),
      multiply: () => apply(tfl.layers.multiply(), x, y),
      gate: () => apply(gatedActivation({ imageChannels: channels }), conv(x, filters, [1, 1])),
      // Several channels side by side would no longer be grouped by channel.
      concat: () => (channels === 1 ? apply(tfl.layers.concatenate(), x, y) : apply(tfl.layers.maximum(), x, y)),
      condition: () => apply(new Conditioned(), x, ...read),
      ownOps: () => apply(new OwnOps(channels, own), x),
    };
    all.push(makers[kind]());
  }
  const last = all.at(-1) as tfl.SymbolicTensor;
  const before = steps.length === 0 ? last : conv(last, outs, [1, 1]);
  const ends: Record<ModelRecipe['tail'], () => tfl.SymbolicTensor> = {
    none: () => before,
    tanh: () => apply(tfl.layers.activation({ activation: 'tanh' }), before),
    normalize: () => apply(pixelNormalization({ imageChannels: channels, epsilon: 0.5 }), before),
    add: () => apply(tfl.layers.add(), before, conv(image, outs, kernelSize, { maskType: 'A' })),
    batchNormalization: () => apply(tfl.layers.batchNormalization(), before),
    regroup: () => apply(new OwnOps(channels, 'regroup'), before),
    logSoftmax: () => apply(new OwnOps(channels, 'logSoftmax'), before),
  };
  // Every condition is read.
  const joined = beside.length === 0 ? ends[tail]() : apply(new Conditioned(), ends[tail](), ...read);
  const sizes = { imageChannels: channels, levels };
  const inputs = [image, ...beside];
  if (output === 'softmax') return autoregressiveModel({ inputs, outputs: apply(pixelLogits(sizes), joined) });
  if (output === 'own') return autoregressiveModel({ inputs, outputs: apply(new OwnPixels(channels, levels), joined) });
  if (output === 'gaussian') return autoregressiveModel({ inputs, outputs: apply(gaussian({ ...sizes, offset: levels >> 1 }), joined) });
  const { components } = output;
  const parameters = channels === 1 ? joined : apply(mixtureParameters({ imageChannels: channels, components }), joined);
  return autoregressiveModel({ inputs, outputs: apply(logisticMixture({ ...sizes, components }), parameters) });
}

const side = fc.integer({ min: 1, max: 5 });
const oddSize = fc.tuple(fc.constantFrom(1, 3, 5), fc.constantFrom(1, 3, 5));
const condition = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 });

/** A user's own layer: x + tanh(conv(x)) conv'(x), where both convolutions have one direction, and a gain each. */
class TwoGains extends PixelLayer {
  static className = 'TwoGains';
  private direction!: LayerWeight;
  private gains!: readonly [LayerWeight, LayerWeight];

  constructor(private readonly imageChannels: number) {
    super({});
  }

  override build(inputShape: tfl.Shape): void {
    const features = inputShape[3] as number;
    const initializer = tfl.initializers.ones();
    const weight = (name: string, shape: number[]) => this.addWeight(name, shape, 'float32', initializer);
    this.direction = weight('direction', [1, 3, features, features]);
    this.gains = [weight('gain_a', [features]), weight('gain_b', [features])];
    super.build(inputShape);
  }

  express<T>(ops: Ops<T>, [x]: readonly T[]): T {
    const window = windowOf({ kernelSize: [1, 3], maskType: 'B', imageChannels: this.imageChannels });
    const [a, b] = this.gains.map((gain) => ops.conv(x as T, { direction: this.direction, gain }, null, window));
    return ops.combine('add', x as T, ops.combine('multiply', ops.pointwise('tanh', a as T), b as T));
  }
}

/** A user's own layer: x and a projection of each condition, added. */
class Conditioned extends PixelLayer {
  static className = 'Conditioned';
  private kernels: LayerWeight[] = [];

  constructor() {
    super({});
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [x, ...conditions] = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tfl.Shape[];
    const initializer = tfl.initializers.ones();
    this.kernels = conditions.map((shape, i) => {
      const sizes = [shape.at(-1) as number, x?.[3] as number];
      return this.addWeight(`kernel${i}`, sizes, 'float32', initializer);
    });
    super.build(inputShape);
  }

  express<T>(ops: Ops<T>, [x, ...conditions]: readonly [T, ...T[]]): T {
    const point = windowOf({ kernelSize: 1, maskType: 'B', imageChannels: 1 });
    const projected = conditions.map((one, i) => ops.conv(one, this.kernels[i] as LayerWeight, null, point));
    return [x, ...projected].reduce((a, b) => ops.combine('add', a, b));
  }
}

/** A user's own layer: x, changed by one of the operations that no layer above uses. */
class OwnOps extends PixelLayer {
  static className = 'OwnOps';
  private unit!: number;
  private kernels!: Record<'position' | 'down' | 'up' | 'gates' | 'states' | 'start' | 'table' | 'coarse', LayerWeight>;

  constructor(
    private readonly imageChannels: number,
    private readonly kind: Step['own'],
  ) {
    super({});
  }

  override build(inputShape: tfl.Shape): void {
    const [, height, width, features] = inputShape as [null, number, number, number];
    this.unit = features / this.imageChannels;
    const weight = (name: string, shape: number[]) => this.addWeight(name, shape, 'float32', tfl.initializers.ones());
    const rows = this.kind === 'rows' ? [1, 3] : [2, 1];
    this.kernels = {
      position: weight('position', [1, 1, 2, features]),
      down: weight('down', [2, 3, features, 3]),
      up: weight('up', [2, 2, 5, features]),
      gates: weight('gates', [1, 1, features, 4 * features]),
      states: weight('states', [...rows, features, 4 * features]),
      start: weight('start', [features]),
      table: weight('table', [height, width, features]),
      coarse: weight('coarse', [Math.ceil(height / 2), Math.ceil(width / 2), 3]),
    };
    super.build(inputShape);
  }

  express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const { kernels, unit, imageChannels: groups, kind } = this;
    const point = (imageChannels: number) => windowOf({ kernelSize: 1, maskType: 'B', imageChannels });
    const before = ops.shift(x, 0, 1);
    switch (kind) {
      case 'regroup': {
        if (unit === 1) return x;
        const half = Math.ceil(unit / 2);
        const parts = Array.from({ length: groups }, (_, c) => [ops.slice(x, c * unit + half, unit - half), ops.slice(x, c * unit, half)]);
        return ops.concat(...parts.flat());
      }
      case 'softmax':
      case 'logSoftmax':
        return ops.softmax(kind, x, groups);
      case 'shift':
        return ops.combine('maximum', x, ops.shift(x, 1, 2));
      case 'position':
        return ops.combine('multiply', x, ops.conv(ops.position(x), kernels.position, null, point(1)));
      case 'coarse': {
        const window = { shift: 'downRight', stride: 2 } as const;
        const down = ops.conv(before, kernels.down, null, windowOf({ kernelSize: [2, 3], ...window }));
        const placed = ops.concat(ops.embedPlaces(ops.pointwise('tanh', down), kernels.coarse), ops.position(down));
        const up = windowOf({ kernelSize: 2, ...window, transposed: true });
        return ops.combine('add', x, ops.conv(placed, kernels.up, null, up));
      }
      case 'attend':
        return ops.combine('add', x, ops.attend(x, x, before, groups));
      case 'raster':
        return ops.combine('maximum', x, ops.embedPlaces(ops.rasterShift(x, kernels.start), kernels.table));
      case 'attendOwn': {
        const earlier = ops.rasterShift(x, kernels.start);
        const [queries, keys] = [x, earlier].map((of) => ops.conv(of, kernels.gates, null, point(groups)));
        const attended = ops.attend(queries as T, keys as T, earlier, groups, { own: true }); // keys [4F], values [F]
        return ops.combine('add', ops.normalize(x, { epsilon: 0.5, groups, norm: 'rms' }), attended);
      }
      case 'rows':
      case 'fromLeft': {
        const gates = ops.conv(x, kernels.gates, null, point(groups));
        return ops.lstm(gates, kernels.states, kind, groups);
      }
    }
  }
}

/** A distribution of a user: logits of each channel, and a number that the level of the channel before is added by. */
class OwnPixels extends PixelLayer {
  static className = 'OwnPixels';
  readonly distribution: TensorDistribution;

  constructor(imageChannels: number, levels: number) {
    super({});
    const each = levels + 1;
    this.distribution = {
      imageChannels,
      levels,
      numParameters: imageChannels * each,
      channelOf: (parameter) => Math.floor(parameter / each),
      logProbs(parameters, earlier, to) {
        const first = earlier.length * each;
        const slope = Math.tanh((parameters[first + levels] as number) + (parameters[0] as number));
        const last = earlier.length === 0 ? 0 : (earlier[earlier.length - 1] as number) / levels;
        let sum = 0;
        for (let level = 0; level < levels; level++) {
          to[level] = (parameters[first + level] as number) + (slope * last * level) / levels;
          sum += Math.exp(to[level] as number);
        }
        for (let level = 0; level < levels; level++) to[level] = (to[level] as number) - Math.log(sum);
      },
      negativeLogLikelihood: (labels) => tf.zerosLike(labels), // never trained
    };
  }

  express<T>(_: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return x;
  }
}

/** Random recipes. */
export const modelRecipes: fc.Arbitrary<ModelRecipe> = fc.record({
  family: fc.constantFrom(...(Object.keys(families) as ModelRecipe['family'][]), 'composed'),
  imageShape: fc.tuple(side, side, fc.integer({ min: 1, max: 4 })),
  levels: fc.constantFrom(2, 3, 4, 17, 256),
  numBlocks: fc.integer({ min: 0, max: 2 }),
  features: fc.integer({ min: 1, max: 3 }),
  firstKernelSize: oddSize,
  kernelSize: oddSize,
  input: fc.constantFrom<InputEncoding>('scaled', 'scaled', 'oneHot', { embedding: 1 }, { embedding: 3 }),
  output: fc.constantFrom<Output>('softmax', 'gaussian', 'own', { components: 1 }, { components: 3 }),
  conditions: fc
    .record({ nullClass: fc.constant(true), numClasses: condition, conditionSize: condition, conditionMapSize: condition })
    .map(({ nullClass, ...all }) => ({ ...all, nullClass: all.numClasses === undefined ? undefined : nullClass }))
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, size]) => size !== undefined))),
  block: fc.constantFrom<ModelRecipe['block']>('residual', 'rowLSTM', 'diagonalBiLSTM'),
  steps: fc.array(
    fc.record<Step>({
      kind: fc.constantFrom(...stepKinds),
      on: fc.nat({ max: 20 }),
      other: fc.nat({ max: 20 }),
      kernelSize: oddSize,
      own: fc.constantFrom(...ownOps),
    }),
    { maxLength: 6 },
  ),
  tail: fc.constantFrom(...tails),
  isAnySize: fc.boolean(),
  hasCodes: fc.boolean(),
});

/** The model of a recipe, with random weights. */
export function randomModel(recipe: ModelRecipe): tfl.LayersModel {
  return fill(families[recipe.family](recipe));
}

/** Weights far from uniform, the same wherever a model is made. */
export function fill<M extends tfl.LayersModel>(model: M): M {
  const weights = model.getWeights().map(({ shape, size }, i) => {
    const scale = shape.length === 4 ? Math.sqrt(6 / (size / (shape[3] as number))) : 0.5;
    return tf.tensor(
      noise(size, i + 1).map((x) => (shape.length === 1 ? Math.abs(scale * x) + 0.1 : scale * x)),
      shape,
    );
  });
  model.setWeights(weights);
  tf.dispose(weights);
  return model;
}
