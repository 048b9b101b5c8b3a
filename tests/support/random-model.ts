import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  autoregressiveModel,
  type BlockArgs,
  diagonalBiLSTMBlock,
  gatedActivation,
  gatedPixelCNN,
  type InputEncoding,
  type LayerWeight,
  logisticMixture,
  maskedConv2d,
  mixtureParameters,
  type Ops,
  PixelLayer,
  pixelCNN,
  pixelCNNPlusPlus,
  pixelCNNResBlock,
  pixelLogits,
  pixelNormalization,
  pixelSNAIL,
  rowLSTMBlock,
  windowOf,
} from 'pixelcnn-layers';
import { noise } from './tensors';

// Networks of every factory, with kernels of one row or column, and graphs that a user may compose, with any last layer.

type ImageShape = [height: number, width: number, channels: number];
type Size = [rows: number, columns: number];
type Output = 'softmax' | { components: number };

/** What a model is conditioned on, by the options of the factories that take it. */
interface Conditions {
  numClasses?: number;
  conditionSize?: number;
  conditionMapSize?: number;
}

/** A step in which a composed graph grows by a layer; `on` and `other` choose what it reads. */
interface Step {
  readonly kind: (typeof stepKinds)[number];
  readonly on: number;
  readonly other: number;
  readonly kernelSize: Size;
}
const stepKinds = [
  'conv',
  'twoGains',
  'rowsAbove',
  'tanh',
  'elu',
  'normalize',
  'add',
  'multiply',
  'gate',
  'concat',
] as const;

/** The arguments of a factory or of {@link composed}, with the factory's name. */
export interface ModelRecipe {
  readonly family: 'pixelCNN' | 'gatedPixelCNN' | 'pixelCNNPlusPlus' | 'pixelSNAIL' | 'composed';
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
}
const tails = ['none', 'tanh', 'normalize', 'add', 'batchNormalization'] as const;

const blocks = {
  residual: ({ index: _, ...args }: BlockArgs) => pixelCNNResBlock(args),
  rowLSTM: ({ index: _, ...args }: BlockArgs) => rowLSTMBlock(args),
  diagonalBiLSTM: ({ index: _, kernelSize: __, ...args }: BlockArgs) => diagonalBiLSTMBlock(args),
};

/** The arguments that plain and gated networks share. */
const ofBoth = ({ features, ...recipe }: ModelRecipe) => {
  const { imageShape, levels, numBlocks, firstKernelSize, kernelSize, input, output } = recipe;
  const sizes = { hiddenDim: features, outDim: features, numBlocks };
  return { imageShape, levels, ...sizes, firstKernelSize, kernelSize, input, output };
};

const families: Record<ModelRecipe['family'], (recipe: ModelRecipe) => tfl.LayersModel> = {
  pixelCNN: (recipe) => pixelCNN({ ...ofBoth(recipe), block: blocks[recipe.block] }),
  gatedPixelCNN: (recipe) => gatedPixelCNN({ ...ofBoth(recipe), ...recipe.conditions }),
  pixelCNNPlusPlus: ({ imageShape: [h, w, c], levels, features, numBlocks, output, conditions }) =>
    pixelCNNPlusPlus({
      imageShape: [h > 3 ? 8 : 4, w > 3 ? 8 : 4, c],
      levels,
      filters: features,
      numResnets: Math.max(1, numBlocks),
      output,
      ...withoutMap(conditions),
    }),
  pixelSNAIL: ({ imageShape, levels, numBlocks, features, input, output, conditions, kernelSize }) =>
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
      output,
      ...withoutMap(conditions),
    }),
  composed,
};

const withoutMap = ({ conditionMapSize: _, ...rest }: Conditions) => rest;

/**
 * A graph of layers: convolutions of mask A over the image, steps, and whatever layer comes last before the distribution.
 * Features are grouped by channel throughout.
 */
function composed({
  imageShape,
  levels,
  features,
  firstKernelSize,
  kernelSize,
  output,
  steps,
  tail,
}: ModelRecipe) {
  const channels = imageShape[2];
  const image = tfl.input({ shape: imageShape });
  const apply = (layer: tfl.layers.Layer, ...x: tfl.SymbolicTensor[]) =>
    layer.apply(x.length === 1 ? (x[0] as tfl.SymbolicTensor) : x) as tfl.SymbolicTensor;
  const conv = (x: tfl.SymbolicTensor, filters: number, kernelSize: Size, more = {}) =>
    apply(maskedConv2d({ filters, kernelSize, imageChannels: channels, ...more }), x);
  const outs = channels * (output === 'softmax' ? levels : 3 * output.components);
  const filters = steps.length === 0 ? outs : 2 * features * channels; // without steps, the first layer gives the outputs
  const first = conv(image, filters, firstKernelSize, { maskType: 'A' });
  const all = [first];
  if (steps.length > 0) all.push(conv(image, filters, kernelSize, { maskType: 'A', imageChannels: 1 }));
  for (const { kind, on, other, kernelSize } of steps) {
    const x = all[on % all.length] as tfl.SymbolicTensor;
    // Another one: tfjs disposes a tensor too early that a layer reads twice.
    const others = all.filter((y) => y !== x && y.shape[3] === x.shape[3]);
    const y = others[other % others.length] ?? apply(tfl.layers.elu(), x);
    const makers: Record<Step['kind'], () => tfl.SymbolicTensor> = {
      conv: () => conv(x, filters, kernelSize),
      twoGains: () => apply(new TwoGains(channels), x),
      rowsAbove: () => conv(x, filters, kernelSize, { vertical: true, maskType: 'A', imageChannels: 1 }),
      tanh: () => apply(tfl.layers.activation({ activation: 'tanh' }), x),
      elu: () => apply(tfl.layers.elu(), x),
      normalize: () => apply(pixelNormalization({ imageChannels: channels, epsilon: 0.5 }), x),
      add: () => apply(tfl.layers.add(), x, y),
      multiply: () => apply(tfl.layers.multiply(), x, y),
      gate: () => apply(gatedActivation({ imageChannels: channels }), conv(x, filters, [1, 1])),
      // Several channels side by side would no longer be grouped by channel.
      concat: () =>
        channels === 1 ? apply(tfl.layers.concatenate(), x, y) : apply(tfl.layers.maximum(), x, y),
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
  };
  const joined = ends[tail]();
  const sizes = { imageChannels: channels, levels };
  if (output === 'softmax')
    return autoregressiveModel({ inputs: image, outputs: apply(pixelLogits(sizes), joined) });
  const { components } = output;
  const parameters =
    channels === 1 ? joined : apply(mixtureParameters({ imageChannels: channels, components }), joined);
  return autoregressiveModel({
    inputs: image,
    outputs: apply(logisticMixture({ ...sizes, components }), parameters),
  });
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
    const [a, b] = this.gains.map((gain) =>
      ops.conv(x as T, { direction: this.direction, gain }, null, window),
    );
    return ops.combine('add', x as T, ops.combine('multiply', ops.pointwise('tanh', a as T), b as T));
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
  output: fc.constantFrom<Output>('softmax', { components: 1 }, { components: 3 }),
  conditions: fc
    .record({ numClasses: condition, conditionSize: condition, conditionMapSize: condition })
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, size]) => size !== undefined))),
  block: fc.constantFrom<ModelRecipe['block']>('residual', 'rowLSTM', 'diagonalBiLSTM'),
  steps: fc.array(
    fc.record<Step>({
      kind: fc.constantFrom(...stepKinds),
      on: fc.nat({ max: 20 }),
      other: fc.nat({ max: 20 }),
      kernelSize: oddSize,
    }),
    { maxLength: 6 },
  ),
  tail: fc.constantFrom(...tails),
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
