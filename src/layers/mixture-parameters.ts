import { serialization } from '@tensorflow/tfjs-core';
import { type Given, integer, type Values } from '../core/arguments';
import { numParameters, parameterOffsets } from '../distributions/mixture-parameters';
import type { Ops } from '../program/operations';
import { checkMap, DeclaredLayer } from './declared-layer';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Channels of the image, C. */
  imageChannels: integer({ from: 1 }),
  /** K, the number of logistics in the mixture. */
  components: integer({ from: 1 }),
};

/** Arguments of {@link MixtureParameters}. */
export interface MixtureParametersArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Turns features that are grouped by channel into the parameters of a {@link LogisticMixture}: [N,H,W,C*3K] ->
 * [N,H,W,P].
 *
 * Each channel has 3K features: K logits, K means, K log scales. The means and log scales are used for that channel.
 * The logits of the first channel become those of the mixture; the other logits are not used. The coefficients between
 * channels are 0, since features that are grouped by channel already see the earlier channels. No weights.
 *
 * Source: Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, section 2.2.
 *
 * @throws TypeError naming the argument that is out of range, or the input if it does not have C*3K features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { mixtureParameters } from 'pixelcnn-layers';
 * const layer = mixtureParameters({ imageChannels: 3, components: 10 });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 90])).shape); // [1, 8, 8, 100]
 * ```
 */
export class MixtureParameters extends DeclaredLayer<Values<typeof declared>, MixtureParametersArgs> {
  /** @nocollapse */
  static className = 'MixtureParameters';
  protected static readonly declared = declared;

  protected override checkInputs(shapes: readonly Shape[]): void {
    const { imageChannels, components } = this.settings;
    checkMap('input', shapes, 3 * imageChannels * components, '3 * imageChannels * components');
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    const { imageChannels, components } = this.settings;
    const { logits, means, logScales } = parameterOffsets(this.settings);
    const part = (channel: number, index: number) =>
      ops.slice(x, (3 * channel + index) * components, components); // [N,H,W,C*3K] -> [N,H,W,K]
    const ofMixture = part(0, 0);
    const zeros = ops.pointwise('scale', ofMixture, 0); // [N,H,W,K]
    const parts = new Array<T>(numParameters(this.settings) / components).fill(zeros);
    parts[logits / components] = ofMixture;
    for (let channel = 0; channel < imageChannels; channel++) {
      parts[(means[channel] as number) / components] = part(channel, 1);
      parts[(logScales[channel] as number) / components] = part(channel, 2);
    }
    return ops.concat(...parts); // [N,H,W,P]
  }
}
serialization.registerClass(MixtureParameters);

/** Makes a {@link MixtureParameters}. */
export function mixtureParameters(args: MixtureParametersArgs): MixtureParameters {
  return new MixtureParameters(args);
}
