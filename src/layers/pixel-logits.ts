import { serialization } from '@tensorflow/tfjs-core';
import { checkCategories, checkInteger, type NamesOf, throwTypeError } from '../core/check';
import type { Ops } from '../program/operations';
import { checkLayerArgs, layerArgNames } from './layer-args';
import { imageInputShape, PixelLayer } from './pixel-layer';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link PixelLogits}. */
export interface PixelLogitsArgs extends LayerArgs {
  /** Channels of the image, C. */
  imageChannels: number;
  /** L, the number of levels of a channel. */
  levels: number;
}

const argNames: NamesOf<PixelLogitsArgs> = { imageChannels: true, levels: true, ...layerArgNames };

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
export class PixelLogits extends PixelLayer {
  /** @nocollapse */
  static className = 'PixelLogits';

  private readonly imageChannels: number;
  private readonly levels: number;

  constructor(args: PixelLogitsArgs) {
    super(checkLayerArgs(PixelLogits, new.target, args, argNames));
    this.imageChannels = checkInteger('PixelLogits: imageChannels', args.imageChannels, 1);
    this.levels = checkCategories('PixelLogits: levels', args.levels, 2);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w, features] = imageInputShape('PixelLogits', inputShape);
    const { imageChannels, levels } = this;
    if (features !== imageChannels * levels) {
      throwTypeError(
        'PixelLogits: input features',
        `imageChannels * levels = ${imageChannels * levels}`,
        features,
      );
    }
    return [n, h, w, imageChannels, levels];
  }

  override express<T>(ops: Ops<T>, [x]: readonly [T, ...T[]]): T {
    return ops.perChannel(x, this.imageChannels, this.levels); // [N,H,W,C*L] -> [N,H,W,C,L]
  }

  override getConfig(): serialization.ConfigDict {
    const { imageChannels, levels } = this;
    return { ...super.getConfig(), imageChannels, levels };
  }
}
serialization.registerClass(PixelLogits);

/** Makes a {@link PixelLogits}. */
export function pixelLogits(args: PixelLogitsArgs): PixelLogits {
  return new PixelLogits(args);
}
