import { initializers } from '@tensorflow/tfjs-layers';
import type { Kernel, LayerWeight } from '../program/weights';
import type { PixelLayer } from './pixel-layer';
import { partSeed, seededInitializer } from './seeds';
import type { Constraint, Initializer, Regularizer } from './types';

/** Arguments of layers whose convolutions may be weight-normed. */
export interface WeightNormalizationArgs {
  /**
   * Whether to normalize kernels: each output uses gain kernel / ||kernel||, with a weight gain [filters] that comes
   * between kernel and bias. `initializeFromData` sets gains and biases from a batch.
   *
   * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868.
   * @default false
   */
  weightNormalization?: boolean;
}

/** The weights of a convolution, as `ops.conv` takes them. */
export interface ConvolutionWeights {
  readonly kernel: Kernel;
  readonly bias: LayerWeight | null;
}

/** How they are initialized, regularized and constrained. */
interface ConvolutionOptions {
  /** Of the layer. */
  readonly seed: number | undefined;
  readonly weightNormalization?: boolean;
  /** Of a weight-normed one, what its outputs begin with, 1 for inputs of this size. @default 1 */
  readonly initialScale?: number;
  /** @default true */
  readonly useBias?: boolean;
  /** @default 'glorotUniform', of a weight-normed one normal with a standard deviation of 0.05 */
  readonly kernelInitializer?: Initializer | undefined;
  /** @default zeros */
  readonly biasInitializer?: Initializer;
  readonly kernelRegularizer?: Regularizer;
  readonly biasRegularizer?: Regularizer;
  readonly kernelConstraint?: Constraint;
  readonly biasConstraint?: Constraint;
}

/**
 * Adds the weights of a convolution to a layer: kernel [rows,columns,in,out]; gain [out] if it is weight-normed; bias
 * [out]. Their names begin with `prefix`.
 */
export function addConvolution(
  layer: PixelLayer,
  prefix: string,
  shape: readonly [rows: number, columns: number, featuresIn: number, featuresOut: number],
  options: ConvolutionOptions,
): ConvolutionWeights {
  const { seed, weightNormalization = false, initialScale = 1, useBias = true } = options;
  const featuresOut = shape[3];
  const initial = weightNormalization
    ? initializers.randomNormal({ mean: 0, stddev: 0.05 })
    : initializers.glorotUniform({});
  const add = (
    name: string,
    of: readonly number[],
    begin: Initializer,
    regularizer?: Regularizer,
    constraint?: Constraint,
  ) => {
    const full = prefix + name;
    const initializer = seededInitializer(begin, partSeed(seed, full));
    return layer['addWeight'](full, [...of], 'float32', initializer, regularizer, true, constraint);
  };
  const kernel = add(
    'kernel',
    shape,
    options.kernelInitializer ?? initial,
    options.kernelRegularizer,
    options.kernelConstraint,
  );
  const gain = weightNormalization
    ? add('gain', [featuresOut], initializers.constant({ value: initialScale }))
    : null;
  const bias = useBias
    ? add(
        'bias',
        [featuresOut],
        options.biasInitializer ?? initializers.zeros(),
        options.biasRegularizer,
        options.biasConstraint,
      )
    : null;
  return { kernel: gain === null ? kernel : { direction: kernel, gain, initialScale }, bias };
}
