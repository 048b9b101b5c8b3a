import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type ActivationDifference,
  type CompareActivationsOptions,
  differencesOf,
} from './activation-differences';
import type { NamedTensor } from './named-tensor';

/**
 * Compares what the layers of a model compute with what the modules of another program did, to find the first layer of a
 * ported model that is wrong. In PyTorch, hooks save the outputs of modules for some inputs as a safetensors file.
 *
 * Maps are compared as [N,H,W,F]; `from: 'pytorch'` says that they lie as [N,F,H,W]. Neighbouring axes may be one in the
 * other program: logits [N,H,W,C,L] are compared with [N,H,W,C*L] too, and maps [N,H,W,F] with [N,H*W,F]. A layer that the
 * model applies more than once is compared by its last output.
 *
 * @param inputs the inputs of the model, which are not disposed: tensors as it takes them, or as they lie in the file
 * @param tensors the activations by the names of layers, or by names that the option `names` maps to them; other layers
 * are not compared
 * @returns the layers that differ, in the order in which they are computed, so the first is where to look; then those that
 * do not, in the same order. A shape that differs is a difference too
 * @throws (rejects) TypeError naming the invalid option, an entry that is not a tensor, or the names that no layer has, each
 * with the most similar name of a layer; what `predict` throws for these inputs
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { compareActivations } from 'pixelcnn-layers/weights';
 * const model = pixelCNN({ imageShape: [2, 2, 1], levels: 2, hiddenDim: 1, outDim: 1, numBlocks: 0 });
 * model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
 * const map = (value) => ({ dtype: 'F32', shape: [1, 1, 2, 2], data: new Float32Array(4).fill(value) });
 * const seen = new Map([['net.output_conv1', map(0)], ['net.output_conv2', map(3)]]); // from a file
 * const names = (name) => name.replace('net.', '');
 * const [first] = await compareActivations(model, map(1), seen, { from: 'pytorch', names });
 * console.log(first.layer, first.difference); // output_conv2 3
 * ```
 */
export async function compareActivations(
  model: LayersModel,
  inputs: Tensor | NamedTensor | readonly (Tensor | NamedTensor)[],
  tensors: ReadonlyMap<string, NamedTensor>,
  options: CompareActivationsOptions = {},
): Promise<ActivationDifference[]> {
  return differencesOf(model, inputs, tensors, options);
}
