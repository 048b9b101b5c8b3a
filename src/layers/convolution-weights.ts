import { initializers } from '@tensorflow/tfjs-layers';
import { flag, type Values } from '../runtime/core/arguments';
import type { KernelWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import type { LayerWeight } from '../runtime/program/weights';
import type { DeclaredLayer } from './declared-layer';
import type { weightArguments } from './stock-arguments';
import type { Initializer } from './types';

export const normalizationArguments = {
  /**
   * Whether to normalize kernels. Each output then uses gain kernel / ||kernel||, with a weight gain
   * [filters] between kernel and bias. `initializeFromData` sets gains and biases from a batch.
   *
   * Source: Salimans, Kingma, "Weight normalization" (2016), https://arxiv.org/abs/1602.07868.
   * @default false
   */
  weightNormalization: flag(false),
};

/** A convolution of a layer: [N,H,W,in] -> [N,H,W,out]. */
export type Convolution = <T>(ops: Ops<T>, x: T, activation?: 'linear' | 'relu') => T;

/** How a convolution's weights are initialized, regularized and constrained. */
interface ConvolutionOptions extends Partial<Omit<Values<typeof weightArguments>, 'kernelInitializer'>> {
  /** @default false */
  readonly weightNormalization?: boolean;
  /** The initial gain, with weight normalization. @default 1 */
  readonly initialScale?: number;
  /** @default true */
  readonly useBias?: boolean;
  /** @default 'glorotUniform'; with weight normalization, normal with a standard deviation of 0.05 */
  readonly kernelInitializer?: Initializer | undefined;
}

/** Adds a convolution and its weights: kernel [rows,columns,in/groups,out], gain [out] if it is weight-normed, bias [out]. */
export function addConvolution(
  layer: DeclaredLayer<unknown, never>,
  prefix: string,
  window: KernelWindow,
  [featuresIn, featuresOut]: readonly [featuresIn: number, featuresOut: number],
  options: ConvolutionOptions,
): Convolution {
  const { weightNormalization, initialScale = 1, useBias = true } = options;
  const shape = [...window.kernelSize, featuresIn / (window.groups ?? 1), featuresOut];
  const direction = addKernel(layer, `${prefix}kernel`, shape, options);
  const scale = initializers.constant({ value: initialScale });
  const gain = weightNormalization && layer.addSeededWeight(`${prefix}gain`, [featuresOut], scale);
  const bias = useBias ? addBias(layer, `${prefix}bias`, featuresOut, options) : null;
  const kernel = gain ? { direction, gain, initialScale } : direction;
  return (ops, x, activation) => ops.conv(x, kernel, bias, window, activation);
}

export function addKernel(
  layer: DeclaredLayer<unknown, never>,
  name: string,
  shape: readonly number[],
  { weightNormalization, kernelInitializer, kernelRegularizer, kernelConstraint }: ConvolutionOptions,
): LayerWeight {
  const initial = weightNormalization
    ? initializers.randomNormal({ mean: 0, stddev: 0.05 })
    : initializers.glorotUniform({});
  const initializer = kernelInitializer ?? initial;
  return layer.addSeededWeight(name, shape, initializer, kernelRegularizer, kernelConstraint);
}

export function addBias(
  layer: DeclaredLayer<unknown, never>,
  name: string,
  features: number,
  { biasInitializer = initializers.zeros(), biasRegularizer, biasConstraint }: ConvolutionOptions,
): LayerWeight {
  return layer.addSeededWeight(name, [features], biasInitializer, biasRegularizer, biasConstraint);
}
