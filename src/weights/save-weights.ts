import type { LayersModel } from '@tensorflow/tfjs-layers';
import { callback, type Given, oneOf, optional, readArguments } from '../runtime/core/arguments';
import { attempt } from '../runtime/program/safetensors';
import { permuted, weightsOf } from './model-weights';
import type { NamedTensor } from './named-tensor';
import { type AxesOf, laidOut, layouts, ordersOf } from './sources';

const declared = {
  /**
   * The order of kernel axes: [rows, columns, in, out], or [out, in, rows, columns] for PyTorch ({@link WeightSource}).
   * @default 'keras'
   */
  to: optional(oneOf(...layouts), 'keras'),
  /** Returns the order of axes for a weight, given its name; as for {@link loadWeights}, with `to` for `from`. */
  axes: optional(callback<AxesOf>()),
};

/** Options of {@link saveWeights}. */
export interface SaveWeightsOptions extends Given<typeof declared> {}

/**
 * Returns a model's weights for another program, by names such as `block0.conv_mid.kernel`, which all share.
 *
 * Numbers are read synchronously, which waits for a GPU to finish. The WebGPU backend supports this
 * only in pages. In Node, save with `model.save`, or from another backend.
 *
 * @returns tensors of dtype F32, in the order of the layers
 * @throws TypeError naming the invalid option, or a disposed model; Error naming a weight that cannot be read at once
 * @example
 * ```js
 * import { pixelCNN } from 'pixelcnn-layers';
 * import { saveWeights } from 'pixelcnn-layers/weights';
 * const model = pixelCNN({ imageShape: [4, 4, 1], levels: 8, hiddenDim: 4, outDim: 8, numBlocks: 1 });
 * const [[name, { shape }]] = saveWeights(model);
 * console.log(name, shape); // input_conv.kernel [7, 7, 1, 8]
 * ```
 */
export function saveWeights(model: LayersModel, options: SaveWeightsOptions = {}): Map<string, NamedTensor> {
  const { to, axes } = readArguments('saveWeights', options, declared);
  const orderOf = ordersOf('saveWeights: axes', axes);
  const weights = weightsOf('saveWeights: model', model);
  const laid = weights.map((weight) => ({ ...weight, there: laidOut(to, weight, orderOf) }));
  return new Map(
    laid.map(({ name, shape, variable, there }): [string, NamedTensor] => {
      // The only synchronous read in src/, since this function returns a Map, not a promise.
      const numbers = attempt(`saveWeights: '${name}'`, () => new Float32Array(variable.read().dataSync()));
      return [name, { dtype: 'F32', shape: there.shape, data: permuted(numbers, shape, there.order) }];
    }),
  );
}
