import type { Tensor } from '@tensorflow/tfjs-core';
import { flag, integer, optional, type Values } from '../runtime/core/arguments';
import { checkFeatures } from '../runtime/core/check';
import type { KernelWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import { addConvolution, normalizationArguments } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer } from './declared-layer';
import { shapesOf } from './pixel-layer';
import { seedArguments } from './seeds';
import { rescaled } from './shape-ops';
import { activation, initializer, weightArguments } from './stock-arguments';
import { activationOf } from './stock-layers';
import type { Shape } from './types';

/**
 * Arguments of every causal convolution. Arguments that tfjs's `conv2d` has too mean what they mean
 * there. `seed` applies to initializers without their own seed.
 */
export const convolutionArguments = {
  /** The number of output features. */
  filters: integer({ from: 1 }),
  ...normalizationArguments,
  ...seedArguments,
  /** As in tfjs's `conv2d`. @default none */
  activation: activation(),
  /** As in tfjs's `conv2d`. @default true */
  useBias: flag(true),
  ...weightArguments,
  /**
   * As in tfjs's `conv2d`.
   * @default 'glorotUniform'; with weight normalization, a normal distribution with a standard deviation of 0.05
   */
  kernelInitializer: optional(initializer()),
};

/** The common base of causal convolutions. Each one's `window` defines what it sees. */
export abstract class CausalConv2D<
  Settings extends Values<typeof convolutionArguments>,
  Args extends object,
> extends DeclaredLayer<Settings, Args> {
  protected abstract readonly window: KernelWindow;

  protected override checkInputs(shapes: readonly Shape[]): void {
    checkFeatures('input features', checkMap('input', shapes), this.window.imageChannels);
  }

  protected override addWeights(shapes: readonly Shape[]): Arithmetic {
    const { filters, activation } = this.settings;
    const name = activation.getClassName();
    const isRelu = name === 'relu';
    const known = activationOf(name);
    const features = [checkMap('input', shapes), filters] as const;
    const convolution = addConvolution(this, '', this.window, features, this.settings);
    return <T>(ops: Ops<T>, [x]: readonly [T, ...T[]]) => {
      const y = convolution(ops, x, isRelu ? 'relu' : 'linear'); // [N,H,W,in] -> [N,H,W,filters]
      if (isRelu) return y;
      if (known !== null) return known(ops, y); // [N,H,W,filters]
      // A custom activation, registered with tfjs, acts on tensors only.
      return (ops as unknown) === this.tensorOps ? (activation.apply(y as Tensor) as T) : null;
    };
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const shapes = shapesOf(inputShape);
    return this.naming(() => {
      this.checkInputs(shapes);
      const { stride, transposed } = this.window;
      const times = transposed ? stride : 1 / stride;
      const [n = null, h = null, w = null] = rescaled('input', shapes[0], times, times);
      return [n, h, w, this.settings.filters];
    });
  }
}
