import type { serialization } from '@tensorflow/tfjs-core';
import { type Given, multipleOf, type Values } from '../runtime/core/arguments';
import { maskedWindow, maskedWindowArguments } from '../runtime/core/declared-window';
import { CausalConv2D, convolutionArguments } from './causal-conv-2d';
import { defineLayer } from './declared-layer';
import type { LayerArgs } from './types';

const declared = {
  ...maskedWindowArguments,
  ...convolutionArguments,
  /** The number of output features, a multiple of `imageChannels`. */
  filters: multipleOf('imageChannels'),
};

/** Arguments of {@link MaskedConv2D}. */
export interface MaskedConv2DArgs extends LayerArgs, Given<typeof declared> {}

/**
 * A convolution that sees no later pixel: only the rows above, the pixels to the left, and those channels of the
 * current pixel that {@link getMask} allows. Stride 1; zero padding keeps height and width.
 *
 * [N,H,W,in] -> [N,H,W,filters]. Weights: kernel [rows, columns, in, filters], including the masked part, so that weights
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
export class MaskedConv2D extends CausalConv2D<Values<typeof declared>, MaskedConv2DArgs> {
  protected readonly window = maskedWindow(this.settings);

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { maskType } = config;
    // tfjs saves 'A' as 'a', since it converts every string to snake case.
    return new cls(typeof maskType === 'string' ? { ...config, maskType: maskType.toUpperCase() } : config);
  }
}

/** Makes a {@link MaskedConv2D}. */
export const maskedConv2d = defineLayer(MaskedConv2D, 'MaskedConv2D', declared);
