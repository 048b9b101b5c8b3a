import type { serialization, Tensor } from '@tensorflow/tfjs-core';
import { flag, type Given, integer, multipleOf, optional, type Values } from '../runtime/core/arguments';
import { checkFeatures } from '../runtime/core/check';
import * as windows from '../runtime/core/declared-window';
import type { KernelWindow } from '../runtime/core/window';
import type { Ops } from '../runtime/program/operations';
import { addConvolution, normalizationArguments } from './convolution-weights';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { shapesOf } from './pixel-layer';
import { seedArguments } from './seeds';
import { rescaled } from './shape-ops';
import { activation, initializer, weightArguments } from './stock-arguments';
import { activationOf } from './stock-layers';
import type { LayerArgs, Shape } from './types';

/** Arguments of every causal convolution. Those that tfjs's `conv2d` has too mean what they mean there. */
const convolutionArguments = {
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
abstract class CausalConv2D<
  Settings extends Values<typeof convolutionArguments>,
  Args extends object,
> extends DeclaredLayer<Settings, Args> {
  protected abstract readonly window: KernelWindow;

  protected override checkInputs(shapes: readonly Shape[]): void {
    const { imageChannels, groups = 1 } = this.window;
    const of = groups === 1 ? 'imageChannels' : 'groups * imageChannels';
    checkFeatures('input features', checkMap('input', shapes), groups * imageChannels, of);
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

const maskedArguments = {
  ...windows.maskedWindowArguments,
  ...convolutionArguments,
  /** The number of output features, a multiple of `imageChannels` and `groups`. */
  filters: multipleOf('imageChannels', 'groups'),
};

/** Arguments of {@link MaskedConv2D}. */
export interface MaskedConv2DArgs extends LayerArgs, Given<typeof maskedArguments> {}

/**
 * A convolution that sees no later pixel: only the rows above, the pixels to the left, and those channels of the
 * current pixel that {@link getMask} allows. Stride 1; zero padding keeps height and width.
 *
 * [N,H,W,in] -> [N,H,W,filters]. Weights: kernel [rows, columns, in / groups, filters], including the masked part, so that weights
 * trained elsewhere load unchanged; gain [filters] with `weightNormalization`; bias [filters].
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 3.4;
 * "The Annotated Pixel-CNN", `MaskedConv2D`.
 *
 * @throws TypeError naming the argument that is out of range, or input features that `imageChannels` does not divide.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { maskedConv2d } from 'pixelcnn-layers';
 * const layer = maskedConv2d({ filters: 6, kernelSize: 7, maskType: 'A' });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 3])).shape); // [1, 8, 8, 6]
 * ```
 */
export class MaskedConv2D extends CausalConv2D<Values<typeof maskedArguments>, MaskedConv2DArgs> {
  protected readonly window = windows.maskedWindow(this.settings);

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { maskType } = config;
    // tfjs saves 'A' as 'a', since it converts every string to snake case.
    return new cls(typeof maskType === 'string' ? { ...config, maskType: maskType.toUpperCase() } : config);
  }
}
defineLayer(MaskedConv2D, 'MaskedConv2D', maskedArguments);

/** Makes a {@link MaskedConv2D}. */
export const maskedConv2d = (args: MaskedConv2DArgs) => new MaskedConv2D(args);

const shiftedArguments = {
  ...windows.shiftedArguments(),
  ...convolutionArguments,
  /** The number of output features, a multiple of `groups`. */
  filters: multipleOf('groups'),
};

/** Arguments of {@link ShiftedConv2D}. */
export interface ShiftedConv2DArgs extends LayerArgs, Given<typeof shiftedArguments> {}

/**
 * The convolution of PixelCNN++, whose window ends on the current row, and those of PixelSNAIL and of networks that
 * read conditions; see {@link Shift}. With `'down'`, the window has as many columns to the left as to the right, or
 * one more there. It sees all channels of the current pixel, and with `'down'` those to its right, so first shift its
 * input by {@link PixelShift}.
 *
 * [N,H,W,in] -> [N,H,W,filters]; with `stride: 2` [N,H/2,W/2,filters], or [N,2H,2W,filters] if also `transposed`.
 * Zeros pad the image. Weights: kernel [rows, columns, in / groups, filters]; gain (`weightNormalization`) and bias [filters].
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, sections 2.3 and
 * 2.4, and its code: `down_shifted_conv2d`, `down_right_shifted_conv2d`, and their `deconv2d`
 * variants. `'excludesCentre'`: Chen et al., "PixelSNAIL" (2018), https://arxiv.org/abs/1712.09763.
 *
 * @throws TypeError naming the argument, or an input whose height and width are not multiples of the stride.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { shiftedConv2d } from 'pixelcnn-layers';
 * const down = shiftedConv2d({ filters: 6, kernelSize: [2, 3], shift: 'down', stride: 2, weightNormalization: true });
 * console.log(down.apply(tf.zeros([1, 8, 8, 4])).shape); // [1, 4, 4, 6]
 * ```
 */
export class ShiftedConv2D extends CausalConv2D<Values<typeof shiftedArguments>, ShiftedConv2DArgs> {
  protected readonly window = windows.shiftedWindow('ShiftedConv2D', this.settings);
}
defineLayer(ShiftedConv2D, 'ShiftedConv2D', shiftedArguments);

/** Makes a {@link ShiftedConv2D}. */
export const shiftedConv2d = (args: ShiftedConv2DArgs) => new ShiftedConv2D(args);
