import { serialization } from '@tensorflow/tfjs-core';
import { categories, type Given, integer, type Values } from '../core/arguments';
import type { Ops } from '../program/operations';
import { checkMap, DeclaredLayer } from './declared-layer';
import type { LayerArgs, Shape } from './types';

const declared = {
  /** Channels of the image, C. */
  imageChannels: integer({ from: 1 }),
  /** L, the number of levels of a channel. */
  levels: categories({ from: 2 }),
};

/** Arguments of {@link PixelLogits}. */
export interface PixelLogitsArgs extends LayerArgs, Given<typeof declared> {}

/**
 * Reshapes features to logits: [N,H,W,C*L] -> [N,H,W,C,L], channel-major, so that the features of a channel become its
 * logits. Height and width may be unknown. No weights.
 *
 * Source: "The Annotated Pixel-CNN", `PixelRNN`, its last reshape.
 *
 * @throws TypeError naming `imageChannels`, `levels`, or the input if it does not have C*L features.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelLogits } from 'pixelcnn-layers';
 * const layer = pixelLogits({ imageChannels: 3, levels: 256 });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 768])).shape); // [1, 8, 8, 3, 256]
 * ```
 */
export class PixelLogits extends DeclaredLayer<Values<typeof declared>, PixelLogitsArgs> {
  /** @nocollapse */
  static className = 'PixelLogits';
  protected static readonly declared = declared;

  protected override checkInputs(shapes: readonly Shape[]): void {
    const { imageChannels, levels } = this.settings;
    checkMap('input', shapes, imageChannels * levels, 'imageChannels * levels');
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.perChannel(x, this.settings.imageChannels, this.settings.levels); // [N,H,W,C*L] -> [N,H,W,C,L]
  }
}
serialization.registerClass(PixelLogits);

/** Makes a {@link PixelLogits}. */
export function pixelLogits(args: PixelLogitsArgs): PixelLogits {
  return new PixelLogits(args);
}
