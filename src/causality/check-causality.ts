import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Given } from '../core/arguments';
import { type Causality, type causalityArguments, findLeaks } from './find-leaks';

export type { Causality, Leak } from './find-leaks';

/** Options of {@link checkCausality}. */
export interface CausalityOptions extends Given<typeof causalityArguments> {}

/**
 * Checks that a model is causal, so that its outputs define a likelihood: the outputs for a value (its
 * logits, or the parameters that a distribution first reads for it) must depend only on the values before it,
 * in the order rows, columns, channels.
 *
 * If every layer can be evaluated pixel by pixel (see {@link PixelLayer}), the graph and its masks prove or
 * refute this, for all weights, classes and images. In addition, 32 values of random images are changed, in
 * seconds, and outputs compared bit for bit, in case a layer computes something other than its `express`.
 *
 * If a layer cannot be evaluated pixel by pixel, or the graph shows a leak, every value is changed, to list all leaking
 * pairs: in up to 4*H*W*C images, or in H*W*C images for each of more than 4 classes. For a large image this takes
 * minutes. Vectors and maps are random, so leaks under few of them may be missed; `condition` checks your own.
 *
 * Source: van den Oord et al., "Pixel Recurrent Neural Networks" (2016),
 * https://arxiv.org/abs/1601.06759, equations 1 and 2; testing by changed inputs is ours.
 *
 * @throws TypeError (rejects) naming the invalid option; Error if the model's outputs are not finite.
 * @example
 * ```js
 * import { checkCausality, pixelCNN } from 'pixelcnn-layers';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 4, hiddenDim: 4, outDim: 4, numBlocks: 1 });
 * const { causal, leaks } = await checkCausality(model);
 * console.log(causal, leaks); // true []
 * ```
 */
export async function checkCausality(model: LayersModel, options: CausalityOptions = {}): Promise<Causality> {
  return findLeaks(model, options);
}
