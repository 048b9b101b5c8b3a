import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Given } from '../core/arguments';
import {
  findReceptiveField,
  type ReceptiveField,
  type receptiveFieldArguments,
} from './find-receptive-field';

export type { ReceptiveField } from './find-receptive-field';

/** Options of {@link receptiveField}. The options of forward passes apply only to models that are tested on images. */
export interface ReceptiveFieldOptions extends Given<typeof receptiveFieldArguments> {}

/**
 * Finds which of the values before a place its probabilities depend on: the receptive field and the blind spot of the
 * model there. Distributions other than the softmax themselves see the earlier channels of the pixel.
 *
 * If every layer can be evaluated pixel by pixel (see {@link PixelLayer}), the result follows from the graph
 * and its masks, exactly and for all weights. Any other model is tested: each value is changed in 4 random
 * images. This misses dependencies that the weights switch off or float32 rounds away; a warning on the
 * console, once for each model, names the layer.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016),
 * https://arxiv.org/abs/1606.05328, section 2.2 and figure 1, on the blind spot.
 *
 * @throws TypeError (rejects) naming the invalid option; Error if a tested model has outputs that are not finite
 * @example
 * ```js
 * import { pixelCNN, receptiveField } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [6, 11, 1], levels: 2, hiddenDim: 4, outDim: 4, numBlocks: 2 });
 * const { seen, blindSpot, window } = await receptiveField(model, { row: 5, column: 5 });
 * console.log(seen.length, window.top); // 57 0
 * console.log(JSON.stringify(blindSpot)); // [[3,10,0],[4,9,0],[4,10,0]]
 * ```
 */
export async function receptiveField(
  model: LayersModel,
  options: ReceptiveFieldOptions,
): Promise<ReceptiveField> {
  return findReceptiveField(model, options);
}
