import { type Given, integer, oneOf, optional, type Values } from '../runtime/core/arguments';
import { checkFeatures, throwTypeError } from '../runtime/core/check';
import { addGate, areConditions } from './conditions';
import { type Arithmetic, checkMap, DeclaredLayer, defineLayer } from './declared-layer';
import { seedArguments } from './seeds';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Groups of features, one for each channel of the image; 1 if they are not grouped, as in PixelCNN++. @default 3 */
  imageChannels: optional(integer({ from: 1 }), 3),
  /** The function of a: 'tanh', as in Gated PixelCNN, or 'linear' for none, as in PixelCNN++. @default 'tanh' */
  kind: optional(oneOf('tanh', 'linear'), 'tanh'),
  ...seedArguments,
};

/** Arguments of {@link GatedActivation}. */
export interface GatedActivationArgs extends LayerArgs, Given<typeof declared> {}

/**
 * The gated activation unit: tanh(a + c_a) sigmoid(b + c_b), or with `kind: 'linear'` (a + c_a) sigmoid(b +
 * c_b), where a and b are the halves of the features, and c is the sum of the projected conditions.
 *
 * Features [N,H,W,2F], or [features, condition, ...], -> [N,H,W,F]. Features are channel-major: each channel has a
 * group of 2F / imageChannels features, whose first half is a and whose second half is b. A condition is a vector [N,K]
 * for all pixels, such as a one-hot class, or a map [N,H,W,K]. Weights: for each condition a kernel [1,1,K,2F].
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, sections 2.1 and 2.3, equations 2, 4 and 5; the linear kind: Dauphin et
 * al., "Language modeling with gated convolutional networks" (2017), https://arxiv.org/abs/1612.08083.
 *
 * @throws TypeError naming the argument, or an input whose features do not split into groups of two halves.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { gatedActivation } from 'pixelcnn-layers';
 * const gate = gatedActivation({ imageChannels: 1 });
 * const [y] = await gate.apply(tf.tensor4d([9, 0], [1, 1, 1, 2])).data();
 * console.log(y.toFixed(3)); // 0.500: tanh(9) sigmoid(0)
 * ```
 */
export class GatedActivation extends DeclaredLayer<Values<typeof declared>, GatedActivationArgs> {
  protected override checkInputs([x = [], ...conditions]: readonly Shape[]): void {
    const { imageChannels } = this.settings;
    checkFeatures('input features', checkMap('input', [x]), 2 * imageChannels, '2 * imageChannels');
    if (!areConditions(conditions, x)) {
      const wanted = 'features [N,H,W,2F], or with conditions [N,K] or [N,H,W,K]';
      throwTypeError('inputs', wanted, [x, ...conditions]);
    }
  }

  protected override addWeights([x, ...conditions]: readonly Shape[]): Arithmetic {
    const { imageChannels, kind } = this.settings;
    const gate = addGate(this, conditions, x?.at(-1) as number, imageChannels, kind);
    return (ops, [x, ...conditions]) => gate(ops, x, conditions); // [N,H,W,2F] -> [N,H,W,F]
  }
}
defineLayer(GatedActivation, 'GatedActivation', declared);

/** Makes a {@link GatedActivation}. */
export const gatedActivation = (args?: GatedActivationArgs) => new GatedActivation(args);
