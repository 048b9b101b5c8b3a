import { reshape, serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, wrong } from '../check';
import type { Features, Program } from '../program/program';
import { imageInputShape, oneInput } from './layer-input';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link PixelLogits}. */
export interface PixelLogitsArgs extends LayerArgs {
  /** Channels of the image, C. */
  imageChannels: number;
  /** Intensities that a channel can have, L. */
  levels: number;
}

/**
 * Features as logits: [N,H,W,C*L] -> [N,H,W,C,L], channel-major, so that the features of one channel stay
 * with it. Height and width may be unknown. No weights.
 *
 * Source: "The Annotated Pixel-CNN", `PixelRNN`, its last reshape.
 *
 * @throws TypeError naming `imageChannels`, `levels`, or the input whose features are not C*L.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelLogits } from 'pixelcnn-layers';
 * const layer = pixelLogits({ imageChannels: 3, levels: 256 });
 * console.log(layer.apply(tf.zeros([1, 8, 8, 768])).shape); // [1, 8, 8, 3, 256]
 * ```
 */
export class PixelLogits extends layers.Layer {
  /** @nocollapse */
  static className = 'PixelLogits';

  private readonly imageChannels: number;
  private readonly levels: number;

  constructor(args: PixelLogitsArgs) {
    super(checkArgs('PixelLogits', args));
    this.imageChannels = checkInteger('PixelLogits: imageChannels', args.imageChannels, 1);
    this.levels = checkInteger('PixelLogits: levels', args.levels, 2);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, h, w, features] = imageInputShape('PixelLogits', inputShape);
    const { imageChannels, levels } = this;
    if (features !== imageChannels * levels) {
      wrong('PixelLogits: input features', `imageChannels * levels = ${imageChannels * levels}`, features);
    }
    return [n, h, w, imageChannels, levels];
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = oneInput(inputs); // [N,H,W,C*L]
      return reshape(x, this.computeOutputShape(x.shape) as number[]); // [N,H,W,C*L] -> [N,H,W,C,L]
    });
  }

  /** The same features: a program knows them channel by channel, level by level. */
  incremental(_: Program, inputs: readonly Features[]): Features | null {
    return inputs[0] ?? null;
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
